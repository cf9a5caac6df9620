/**
 * Whether a step can have been tried before, told from how long the history is. Pure.
 *
 * A workflow task that was given up leaves three events at least: that it was, and the scheduled and started ones of
 * the next. Where the history is exactly as long as it has to be, there was none, and nobody need read it.
 */

/** The execution started; its first workflow task was scheduled and started. */
const FIRST_TASK = 3;
/** A workflow task completed; the next one was scheduled and started. */
const ONE_TASK = 3;
/** An activity was scheduled, started and completed. */
const ONE_CALL = 3;

/** What a round of calls has put into the history. */
export interface RoundTrace {
  /** Length of the history when its calls were dispatched. */
  readonly from: number;
  calls: number;
  /** Each dispatch completed: nothing was dispatched again, looked up, waited for or timed out. */
  plain: boolean;
}

/** True for the first try of an execution's first workflow task, where no execution came before it. */
export function isFirstTask(historyLength: number, continued: boolean): boolean {
  return historyLength === FIRST_TASK && !continued;
}

/** True where the calls of a round all ended within one workflow task, and that one was given up by nobody. */
export function isFirstTaskAfter({ from, calls, plain }: RoundTrace, historyLength: number): boolean {
  return plain && calls > 0 && historyLength === from + ONE_TASK + ONE_CALL * calls;
}
