/** How deeply a value of parsed JSON is nested. */

/** Level by level: what reads, copies and writes a value recurses, and recursion is what this guards. */
export function isNestedDeeper(value: unknown, levels: number): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; depth <= levels; depth++) {
    level = level.flatMap((held) => (typeof held === 'object' && held !== null ? Object.values(held) : []));
    if (level.length === 0) return false;
  }
  return true;
}
