/** Cancelling: in every status, and what becomes of the thread. */
// oxlint-disable vitest/no-standalone-expect -- the suite wraps every case in a test
import { expect } from 'vitest';
import type { Step } from '../../src/emulator/index.ts';
import { isTerminal } from '../../src/run.ts';
import { errorOf, NEVER, play, start, startAndWatch, TWO_CALLS, watch } from '../support/backend-harness.ts';
import type { Case } from './suite.ts';

const whileRunning = (status: string, step: Step, queuedMs?: number): Case => [
  `cancels an attempt that is ${status}, and sees it end`,
  async (begin) => {
    const harness = await begin(queuedMs === undefined ? {} : { queuedMs });
    play(harness, [step, { answer: 'x' }]);
    const started = await start(harness);
    const before = await watch(harness, started, (seen) => seen.run.status === status);
    expect(before.run.status).toBe(status);
    const asked = await harness.backend.cancel(before.attempt, NEVER);
    const end = await watch(harness, { spec: started.spec, attempt: asked.attempt });
    expect(end.run.status).toBe('cancelled');
    expect(harness.view.live()).toEqual([]);
  },
];

const afterEnd = (status: string, step: Step): Case => [
  `a cancel of an attempt that is ${status} leaves it so, and is no error`,
  async (begin) => {
    const harness = await begin();
    play(harness, [step]);
    const { seen } = await startAndWatch(harness);
    const after = await harness.backend.cancel(seen.attempt, NEVER);
    expect(after.run.status).toBe(status);
  },
];

/** A refusal says nothing of the attempt: only a look does. */
const refused = (status: number, message: string): Case => [
  `a cancel that is refused by ${status} leaves an attempt that is seen to work`,
  async (begin) => {
    const harness = await begin();
    play(harness, [{ hang: true }]);
    const started = await start(harness);
    harness.emulator.addFault({ match: harness.requests.cancel, do: { status, message } });
    const asked = await harness.backend.cancel(started.attempt, NEVER);
    expect(['queued', 'in_progress']).toContain(asked.run.status);
    expect(harness.view.live()).toEqual([started.attempt.id]);
  },
];

export const CANCEL_CASES = {
  cancel_queued: whileRunning('queued', { hang: true }, 60_000),
  cancel_in_progress: whileRunning('in_progress', { hang: true }),
  cancel_requires_action: whileRunning('requires_action', { call: [{ name: 'get_weather', arguments: {} }] }),
  cancel_unknown_status: whileRunning('reticulating', { status: 'reticulating' }),
  cancel_completed: afterEnd('completed', { answer: 'Done.' }),
  cancel_failed: afterEnd('failed', { fail: { code: 'server_error', message: 'x' } }),
  cancel_incomplete: afterEnd('incomplete', { incomplete: 'max_completion_tokens' }),
  cancel_expired: afterEnd('expired', { expire: true }),
  cancel_cancelled: afterEnd('cancelled', { cancel: true }),
  cancel_cancelling: [
    'a cancel of an attempt that is cancelling already is no error',
    async (begin) => {
      const harness = await begin({ cancelMs: 60 });
      play(harness, [{ hang: true }]);
      const started = await start(harness);
      const first = await harness.backend.cancel(started.attempt, NEVER);
      const second = await harness.backend.cancel(first.attempt, NEVER);
      expect(['cancelling', 'cancelled']).toContain(second.run.status);
      expect((await watch(harness, { ...started, attempt: second.attempt })).run.status).toBe('cancelled');
    },
  ],
  cancel_too_late: [
    'an attempt that completes before its cancel takes effect is completed',
    async (begin) => {
      const harness = await begin();
      harness.emulator.setScript('conformance', {
        attempts: [{ steps: [{ hang: true }], on_cancel: 'completed' }],
      });
      const started = await start(harness);
      const asked = await harness.backend.cancel(started.attempt, NEVER);
      expect((await watch(harness, { ...started, attempt: asked.attempt })).run.status).toBe('completed');
    },
  ],
  cancel_lost: [
    'a cancel whose answer is lost is found out by reading',
    async (begin) => {
      const harness = await begin();
      play(harness, [{ hang: true }]);
      const started = await start(harness);
      harness.emulator.addFault({ match: harness.requests.cancel, times: 1, do: { reset: 'after' } });
      const asked = await harness.backend.cancel(started.attempt, NEVER);
      expect(['cancelling', 'cancelled']).toContain(asked.run.status);
      const end = await watch(harness, { ...started, attempt: asked.attempt });
      expect(end.run.status).toBe('cancelled');
    },
  ],
  cancel_blind: [
    'a cancel reaches a provider whose looks fail',
    async (begin) => {
      const harness = await begin();
      play(harness, [{ hang: true }]);
      const started = await start(harness);
      harness.emulator.addFault({ match: harness.requests.read, do: { status: 503 } });
      await harness.backend.cancel(started.attempt, NEVER);
      const ended = await harness.emulator.waitFor(
        (entry) => entry.kind === 'status' && isTerminal(entry.to),
      );
      expect(ended).toMatchObject({ to: 'cancelled' });
      expect(harness.view.live()).toEqual([]);
    },
  ],
  cancel_no_route: refused(404, 'Not Found'),
  cancel_conflict: refused(409, 'It is not so.'),
  cancel_conflict_ended: [
    'a cancel that is refused in unknown words as its attempt has ended is found out by reading',
    async (begin) => {
      const harness = await begin();
      play(harness, [{ answer: 'Done.' }]);
      const started = await start(harness);
      await harness.emulator.waitFor((entry) => entry.kind === 'status' && entry.to === 'completed');
      const message = 'It has already been completed.';
      harness.emulator.addFault({ match: harness.requests.cancel, do: { status: 409, message } });
      expect((await harness.backend.cancel(started.attempt, NEVER)).run.status).toBe('completed');
    },
  ],
  cancel_missed: [
    'a cancel reaches an attempt that one look did not find',
    async (begin) => {
      const harness = await begin();
      play(harness, [{ hang: true }]);
      const started = await start(harness);
      harness.emulator.addFault({ match: harness.requests.read, times: 1, do: { status: 404 } });
      const asked = await harness.backend.cancel(started.attempt, NEVER);
      harness.emulator.clearFaults();
      expect((await watch(harness, { ...started, attempt: asked.attempt })).run.status).toBe('cancelled');
    },
  ],
  cancel_gone: [
    'a cancel of an attempt that the provider does not know is not found',
    async (begin) => {
      const harness = await begin();
      const { spec } = await startAndWatch(harness);
      const attempt = { ...harness.unknownAttempt, thread_id: spec.thread_id };
      expect(await errorOf(harness.backend.cancel(attempt, NEVER))).toMatchObject({ kind: 'not_found' });
    },
  ],
  cancelled_thread_usable: [
    "a cancelled run's thread takes the next run, its open calls answered",
    async (begin) => {
      const harness = await begin();
      play(harness, TWO_CALLS, [{ answer: 'And now something else.' }]);
      const first = await startAndWatch(harness, { key: 'first/1' });
      expect(first.seen.run.status).toBe('requires_action');
      const asked = await harness.backend.cancel(first.attempt, NEVER);
      const end = await watch(harness, { spec: first.spec, attempt: asked.attempt });
      expect(end.run.status).toBe('cancelled');
      await harness.backend.releaseThread?.(end.attempt, NEVER);
      const next = await startAndWatch(harness, { key: 'first/2', thread: first.attempt.thread_id });
      expect(next.seen.run.status).toBe('completed');
    },
  ],
} satisfies Record<string, Case>;
