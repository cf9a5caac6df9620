/** Runs that lose an attempt, an answer or a worker, and go on. */
import { until } from '../support/until.ts';
import {
  answer,
  becomes,
  BOTH,
  cancelled,
  CREATE,
  created,
  each,
  note,
  once,
  quick,
  refund,
  submit,
} from './shape.ts';
import type { Driven, Shape, Stage } from './shape.ts';

/** By its service, after it has ended badly: the history is that of the execution that goes on. */
async function retryByHand({ drive }: Stage): Promise<Driven> {
  const id = drive.id('retried-by-hand');
  const ended = await drive.runs.start({ assistant_id: 'bot', input: 'Go' }, { id });
  if ((await ended.outcome()).code !== 'quota_exceeded') throw new Error('It has to end badly first.');
  const handle = await drive.runs.retry(id);
  return { handle, client: drive.client, code: (await handle.outcome()).code };
}

export const RETRIED: readonly Shape[] = [
  {
    name: 'retried-by-hand',
    wires: BOTH,
    script: each(
      [refund(), { fail: { code: 'insufficient_quota', message: 'Your quota is empty.' } }],
      [refund(), note, answer],
    ),
    drive: retryByHand,
    ends: null,
    shows: ['set_note'],
    // What it did before is known.
    lacks: ['refund_order'],
  },
  {
    name: 'expired-during-effect',
    wires: ['assistants'],
    script: each([refund(), answer], [refund('again'), answer]),
    options: { emulator: { expiresAfterMs: 1_500 } },
    prepare: (stage) => {
      stage.shop.gate = becomes(stage, 'expired').then(() => undefined);
    },
    ends: null,
    shows: ['refund_order'],
  },
  {
    name: 'budget-retry',
    wires: BOTH,
    script: once({ incomplete: 'max_completion_tokens', unless_budget_at_least: 600 }, answer),
    request: { max_completion_tokens: 300 },
    ends: null,
  },
  {
    name: 'server-error-after-effect',
    wires: BOTH,
    script: each(
      [refund(), { fail: { code: 'server_error', message: 'It broke.' } }],
      [refund('again'), answer],
    ),
    request: quick,
    ends: null,
    shows: ['TimerFired'],
  },
  { name: 'attempt-gone', wires: BOTH, script: each([{ vanish: true }], [answer]), ends: null },
  {
    name: 'attempt-limit',
    wires: BOTH,
    script: each([{ hang: true }], [answer]),
    request: { limits: { attempt_seconds: 1.5 } },
    ends: null,
    shows: [cancelled],
  },
  {
    name: 'attempts-exhausted',
    wires: ['assistants'],
    script: once({ fail: { code: 'server_error', message: 'It broke.' } }),
    request: { retry: { backoff_seconds: 0.1, attempts: 2 } },
    ends: 'attempts_exhausted',
  },
  {
    name: 'create-refused-then-taken',
    wires: BOTH,
    script: once(answer),
    prepare: ({ drive }) =>
      drive.emulator.addFault({ match: { ...CREATE, nth: 1 }, do: { status: 429, retry_after_s: 1 } }),
    ends: null,
    shows: [created],
  },
  {
    name: 'create-answer-lost',
    wires: BOTH,
    script: once(answer),
    prepare: ({ drive }) => drive.emulator.addFault({ match: { ...CREATE, nth: 1 }, do: { reset: 'after' } }),
    ends: null,
    shows: [created],
  },
  {
    name: 'submit-answer-lost',
    wires: BOTH,
    script: once(refund(), answer),
    prepare: ({ drive, wire }) => drive.emulator.addFault({ match: submit(wire), do: { reset: 'after' } }),
    ends: null,
  },
  {
    name: 'submit-refused-then-taken',
    wires: BOTH,
    script: once(refund(), answer),
    prepare: ({ drive, wire }) =>
      drive.emulator.addFault({ match: submit(wire), do: { status: 429, retry_after_s: 1 } }),
    ends: null,
    shows: ['drover.submitOutputs'],
  },
  {
    name: 'continued-as-new',
    wires: BOTH,
    script: once(refund(), note, refund(), answer),
    request: { limits: { history_events: 12 } },
    ends: null,
    shows: ['WorkflowExecutionContinuedAsNew'],
  },
  {
    name: 'worker-replaced',
    wires: BOTH,
    script: once(note, { think_ms: 4_000 }, answer),
    act: async (_handle, { drive, shop }) => {
      await until(() => (shop.effects.length > 0 ? true : undefined));
      await drive.stopWorkers();
      await drive.startWorker();
    },
    ends: null,
  },
];
