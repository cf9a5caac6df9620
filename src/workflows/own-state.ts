/**
 * What one workflow keeps for itself. The workflows of a worker share their modules (decision 028), so that a variable of
 * a module is everybody's; the SDK gives each workflow a global object of its own.
 */
export function ownState<T extends object>(name: string, make: () => T): T {
  const own = globalThis as unknown as Record<string, T | undefined>;
  return (own[`__drover_${name}`] ??= make());
}
