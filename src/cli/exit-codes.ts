/** Every exit code of `drover`, in one table: `docs/operations.md` and `drover help` print it. */
export const EXIT_CODES = {
  ok: { code: 0, meaning: 'It worked; a run that was waited for completed' },
  failed: {
    code: 1,
    meaning:
      'The run ended otherwise than completed; a worker, dev or the emulator failed; something unforeseen',
  },
  usage: { code: 2, meaning: 'Wrong arguments, request or configuration: nothing was done' },
  unreachable: { code: 3, meaning: 'Temporal could not be reached, or refused' },
  notFound: { code: 4, meaning: 'There is no such run' },
  conflict: {
    code: 5,
    meaning: 'The id belongs to a run of another request; a decision or a retry was refused',
  },
  unwell: { code: 6, meaning: 'doctor found something that stops runs; sweep left something alive' },
  lost: {
    code: 7,
    meaning: 'The run closed and has no result to give: terminated, timed out, or nobody to ask',
  },
  interrupted: { code: 130, meaning: 'Ctrl-C while waiting; the run goes on' },
} as const satisfies Record<string, { readonly code: number; readonly meaning: string }>;

export type ExitName = keyof typeof EXIT_CODES;
