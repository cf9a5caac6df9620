/** Stands for a vault, or for whatever hands out tokens. */
export async function readSecret(name: string): Promise<string> {
  return await Promise.resolve(process.env[name] ?? '');
}
