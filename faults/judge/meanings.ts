/** What each figure of the report counts: the words of `docs/faults.md`. */
import type { Counts } from './judge.ts';

export const MEANINGS: Readonly<Record<Exclude<keyof Counts, 'kills_by_window'>, string>> = {
  runs: 'Runs that were started.',
  ended: 'Runs whose workflow closed by itself: completed, failed or cancelled.',
  lost: 'Runs that did not end, or ended without a result that can be read.',
  wrong_end:
    "Runs that ended by another code than their shape allows (`effect_unknown` is right only where the result names such a call), that say completed where the provider's journal shows no completed attempt or another text, whose result does not tell what became of a `once` effect that was started or, completed, tells another output of a call than the model was given, or whose workflow closed as another code does (`COMPLETED`, `CANCELLED` or else `FAILED`).",
  late_ends:
    'Runs that closed more than 120 s after the last fault that may have met them, the last word of people and the end of whoever had the thread before, beyond what their models think and their tools work.',
  worker_kills: 'SIGKILLs of worker processes.',
  worker_stops: 'SIGSTOPs of worker processes, each with a SIGCONT past the heartbeat timeout.',
  worker_restarts: 'SIGTERMs of worker processes, each followed by a new worker.',
  activity_pauses: 'Pauses of activities of runs under way, each unpaused again.',
  activity_resets: 'Resets of activities of runs under way.',
  server_restarts: "SIGKILLs of Temporal's server, each with a restart on the same file and port.",
  provider_faults:
    'Answers of the provider that a fault lost, refused, garbled, cut or held back, and statuses that nobody knows.',
  attempts_live_over_one:
    'Attempts (runs, or responses) that were made while another one of the same run lived, unfindable ones left out.',
  orphaned_attempts:
    'Attempts that live at the end, or lived on for more than 1.5 s after their workflow had closed, unfindable ones left out.',
  needless_attempts:
    'Attempts that were made after one of the same run had completed (on the Assistants wire), or after a worker had itself cancelled the one before: no run here has a limit by which an attempt is given up.',
  unfindable_creates:
    'Responses whose answer may have been lost, outside of a conversation, that nobody looked at afterwards: the Responses wire gives no way to find them. They are left out above only where the result of their run names the ambiguity. There are none on the Assistants wire.',
  unasked_effects:
    'Starts of tools for a call that does not ask for them in these words, or in the name of another run.',
  duplicate_once_effects:
    'Effects of `once` tools that were started more often than the model asked for them within any one attempt; by `effectKey`, more often than once.',
  duplicate_effects_by_effect_key:
    'Effects of tools with an `effectKey` that were made more than once: under another idempotency key, or, of a `once` tool, at all.',
  divergent_calls:
    'Calls that were answered with the output of an earlier effect of the same `effectKey` and other words.',
  idempotent_key_changes:
    'Effects whose tool was told more than one idempotency key, for one call or for equal calls of different attempts.',
  unreused_effects:
    'Effects that a later attempt had made again, though their outcome was known: their output had been handed in, or worker and server lived on long enough to tell it. And calls that were run again after the provider had taken their output.',
  missing_outputs:
    'Submits without an output for each call of the round, and outputs that are neither what an effect gave, nor the word that nobody knows.',
  double_submits:
    'Rounds whose outputs were taken twice, though the answer to the first submit was not lost and the step had not failed.',
  inputs_repeated: 'Threads, conversations or chains in which the input stands more than once.',
  inputs_unsaid: 'Runs whose model answered without having been told the input, or was told another text.',
  threads_left_unusable:
    'Threads and conversations that refused a new run at the end: the harness tries every one of them.',
  lost_answers:
    "Decisions of people, and outputs that the service handed in, that were taken and that the run's result does not know of.",
  repeated_questions:
    'Calls that waited for a word again, under the same key with the same arguments, after it had been given.',
  unapproved_effects:
    'Effects of tools that need approval that were started before anybody had allowed them.',
  order_violations:
    'Runs on a shared thread that began while another one had its turn there, or after one that was started when their own start had been answered.',
  over_budget:
    'Runs that handed in more rounds of tool calls than their limit, over all attempts, or made more attempts than theirs. A round that is handed in again counts once, and an attempt whose create was lost and made again is one.',
  followers: 'Runs on a thread that another run was started on before: they wait, are refused, or interrupt.',
  decisions: 'Calls that people allowed or refused, or whose output the service handed in.',
  duplicate_deltas:
    'Answers that were listened to of which whoever watched, going and coming back, was told a word twice, or other words than the model says, or these in another order.',
  deltas: 'Pieces of answers that those who watch were told.',
  webhooks_taken:
    'Webhooks of the provider that were received; 40 % of the runs on the Responses wire wait for them.',
  webhooks_lost: 'Webhooks that were never sent, on purpose.',
  webhooks_repeated: 'Webhooks that were sent, and received, more than once.',
  unknown_outcomes: 'Calls of `once` tools whose result says that nobody knows whether they acted.',
};

export const WINDOW_MEANINGS = {
  create: 'after a create acted, before its answer',
  effect: 'after an effect, before its tool answered',
  submit: 'after a submit acted, before its answer',
  wait: 'while the worker waited for an attempt that was thinking',
  workflow_task: 'in a workflow task that it had started and never completed',
  continue_as_new: 'within a second of a continue-as-new that it made or took up',
} as const;
