/** What the doctor says of one thing. */
export interface Finding {
  readonly name: string;
  /** `warn`: runs work, but something is missing or could not be found out. */
  readonly state: 'ok' | 'warn' | 'fail';
  readonly message: string;
  /** What to do about it; null where nothing is. */
  readonly action: string | null;
}

/** How long one look may take. */
export const PROBE_MS = 20_000;

export const finding = (
  name: string,
  state: Finding['state'],
  message: string,
  action: string | null = null,
): Finding => ({ name, state, message, action });

export const words = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
