/** What other servers of these wires do: each habit is met, and a whole life with a round of tools is lived under it. */
// oxlint-disable vitest/no-standalone-expect -- the suite wraps every case in a test
import { expect } from 'vitest';
import type { Quirk } from '../../src/emulator/index.ts';
import { incompleteReason } from '../../src/run.ts';
import {
  errorOf,
  NEVER,
  outputsFor,
  play,
  start,
  startAndWatch,
  TWO_CALLS,
  watch,
} from '../support/backend-harness.ts';
import type { Case } from './suite.ts';

const livesWith = (...quirks: readonly Quirk[]): Case => [
  `lives a whole life with a server of this habit: ${quirks.join(', ')}`,
  async (begin) => {
    const harness = await begin({ quirks });
    play(harness, TWO_CALLS);
    const waiting = await startAndWatch(harness);
    expect(waiting.seen.run.status).toBe('requires_action');
    expect(waiting.seen.calls).toHaveLength(2);
    const after = await harness.backend.submit(waiting.attempt, outputsFor(waiting.seen), waiting.spec.run, {
      suspect: false,
      signal: NEVER,
    });
    const end = await watch(harness, { spec: waiting.spec, attempt: after.attempt });
    expect(end.run.status).toBe('completed');
    expect(end.run.required_action).toBeNull();
    expect(end.run.failed_at).toBeNull();
    expect(Number.isInteger(end.run.created_at)).toBe(true);
    expect((await harness.backend.output(end.attempt, NEVER)).text).toBe('Weather: output 0\noutput 1');
  },
];

/** The errors by which a decision is made, in a shape of their own. */
const errorsAs = (quirk: Quirk): Case => [
  `tells errors apart that come as ${quirk}`,
  async (begin) => {
    const harness = await begin({ quirks: [quirk] });
    const { spec, seen } = await startAndWatch(harness);
    const attempt = { ...harness.unknownAttempt, thread_id: spec.thread_id };
    const look = watch(harness, { spec, attempt }, () => true);
    expect(await errorOf(look)).toMatchObject({ kind: 'not_found' });
    expect((await harness.backend.cancel(seen.attempt, NEVER)).run.status).toBe('completed');
    harness.emulator.addFault({ match: harness.requests.create, times: 1, do: { busy: true } });
    const create = start(harness, { key: 'first/2', thread: spec.thread_id });
    expect(await errorOf(create)).toMatchObject({ kind: 'thread_busy' });
  },
];

export const QUIRK_CASES = {
  quirk_float_timestamps: livesWith('float_timestamps'),
  quirk_zero_timestamps: livesWith('zero_timestamps'),
  quirk_absent_nulls: livesWith('absent_nulls'),
  quirk_empty_required_action: livesWith('empty_required_action'),
  quirk_bare_ids: livesWith('bare_ids'),
  quirk_long_ids: livesWith('long_ids'),
  quirk_sparse_queued: livesWith('sparse_queued'),
  quirk_sparse_absent: livesWith('sparse_queued', 'absent_nulls'),
  quirk_never_queued: livesWith('never_queued'),
  quirk_ignores_background: livesWith('ignores_background'),
  quirk_partial_submit_accepted: livesWith('partial_submit_accepted'),
  quirk_error_500_for_wrong_call_id: livesWith('error_500_for_wrong_call_id'),
  quirk_no_thread_lock: livesWith('no_thread_lock'),
  quirk_plain_text_errors: errorsAs('plain_text_errors'),
  quirk_detail_errors: errorsAs('detail_errors'),
  quirk_unwrapped_errors: errorsAs('unwrapped_errors'),
  quirk_string_last_error: [
    'an error that is a plain string is read as a message',
    async (begin) => {
      const harness = await begin({ quirks: ['string_last_error'] });
      play(harness, [{ fail: { code: 'server_error', message: 'It broke.' } }]);
      const { seen } = await startAndWatch(harness);
      expect(seen.run.status).toBe('failed');
      expect(seen.run.last_error?.message).toBe('It broke.');
    },
  ],
  quirk_reason_length: [
    'a budget that ran out is known by the name `length`, too',
    async (begin) => {
      const harness = await begin({ quirks: ['reason_length'] });
      play(harness, [{ incomplete: 'max_completion_tokens' }]);
      const { seen } = await startAndWatch(harness);
      expect(seen.run.status).toBe('incomplete');
      expect(incompleteReason(seen.run)).toBe('max_completion_tokens');
    },
  ],
  quirk_cancel_400: [
    'a cancel that is refused is no error: the attempt is shown as it is',
    async (begin) => {
      const harness = await begin({ quirks: ['cancel_400'] });
      play(harness, [{ hang: true }]);
      const started = await start(harness);
      await watch(harness, started, (seen) => seen.run.status === 'in_progress');
      expect((await harness.backend.cancel(started.attempt, NEVER)).run.status).toBe('in_progress');
    },
  ],
  quirk_cancel_sticks: [
    'a cancel that never takes effect is shown as such, and asked for again without an error',
    async (begin) => {
      const harness = await begin({ quirks: ['cancel_sticks'] });
      play(harness, [{ hang: true }]);
      const started = await start(harness);
      await watch(harness, started, (seen) => seen.run.status === 'in_progress');
      const first = await harness.backend.cancel(started.attempt, NEVER);
      const second = await harness.backend.cancel(first.attempt, NEVER);
      expect(['cancelling', 'in_progress']).toContain(second.run.status);
      expect(harness.view.live()).toHaveLength(1);
    },
  ],
  quirk_cancel_flips_completed: [
    'a completed attempt is not asked to cancel, where that would turn it into a cancelled one',
    async (begin) => {
      const harness = await begin({ quirks: ['cancel_flips_completed'] });
      const { seen } = await startAndWatch(harness);
      expect((await harness.backend.cancel(seen.attempt, NEVER)).run.status).toBe('completed');
      expect(
        (await watch(harness, { spec: (await start(harness, { key: 'x/1' })).spec, attempt: seen.attempt }))
          .run.status,
      ).toBe('completed');
    },
  ],
} satisfies Record<string, Case>;
