/**
 * A provider that answers with anything but what it was asked for, or asks for what nobody can do: every run ends, by
 * a code of the table, without a failed workflow task and without asking for ever.
 */
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { LIMITS, METADATA_KEYS } from '../../src/contract.ts';
import type { RunRequest, RunResult } from '../../src/contract.ts';
import type { Fault, FaultAction, Step } from '../../src/emulator/index.ts';
import { FAILURES } from '../../src/failures.ts';
import type { EndCode } from '../../src/failures.ts';
import { defineTool } from '../../src/tools/define-tool.ts';
import { startDrive, WIRES } from '../support/drive-harness.ts';
import type { Drive } from '../support/drive-harness.ts';
import { kindOf, rawEvents } from '../support/raw-history.ts';
import { call, echo } from '../support/recording-tools.ts';

const refund = defineTool({
  name: 'refund',
  description: 'Refunds an order.',
  parameters: z.object({ order: z.number() }),
  effect: 'once',
  execute: ({ order }) => `refunded ${order}`,
});

type SomeWire = (typeof WIRES)[number];
type Match = Fault['match'];
/** Where a provider can go wrong, in the requests of each wire. */
const STEPS: Readonly<Record<SomeWire, Readonly<Record<string, Match>>>> = {
  assistants: {
    create: { method: 'POST', path: '/\\/runs$/' },
    retrieve: { method: 'GET', path: '/\\/runs\\/[^/]+$/' },
    submit: { method: 'POST', path: 'submit_tool_outputs' },
    cancel: { method: 'POST', path: '/\\/cancel$/' },
  },
  responses: {
    create: { method: 'POST', path: '/\\/responses$/' },
    retrieve: { method: 'GET', path: '/\\/responses\\/[^/]+$/' },
    submit: { method: 'POST', path: '/\\/responses$/', nth: 2 },
    cancel: { method: 'POST', path: '/\\/cancel$/' },
  },
};
const SHAPES = ['html', 'empty', 'truncated', 'other_id'] as const;
type Ends = readonly (EndCode | null)[];
/** How a run may end that meets such answers at a step; null: it completes. */
const EXPECTED: Readonly<Record<SomeWire, Readonly<Record<string, Ends>>>> = {
  assistants: {
    // What a create led to is found by its key.
    create: [null],
    retrieve: ['deadline_exceeded'],
    submit: [null],
    cancel: ['deadline_exceeded'],
  },
  responses: {
    // An id that is another's is known by nobody, and the attempt counts as gone.
    create: ['backend_unavailable', 'attempts_exhausted', 'deadline_exceeded'],
    retrieve: ['deadline_exceeded'],
    submit: [null],
    cancel: ['deadline_exceeded'],
  },
};
const DEADLINE = { limits: { deadline_seconds: 4 } } as const;

/** Past its deadline a run sees to it that its attempt has ended: a matter of two seconds, on a slow machine of more. */
const PAST_DEADLINE_S = 30;
/** Of one run: the most that one here needs is 21. */
const MOST_REQUESTS = 40;

interface Ended {
  readonly code: EndCode | null;
  readonly result: RunResult;
  /** From its start to its end, beyond the deadline; negative before it. Seconds. */
  readonly late_s: number;
  /** At the provider. */
  readonly requests: number;
}

describe.each(WIRES)('on the %s wire', (wire) => {
  const requestsOf = STEPS[wire];
  let drive: Drive;
  beforeAll(async () => {
    drive = await startDrive(wire, { tools: [echo, refund] });
  });
  afterAll(() => drive[Symbol.asyncDispose]());

  /** Plays a run on a model of its own, so that its faults meet nobody else. */
  async function play(
    label: string,
    attempts: readonly (readonly Step[])[],
    faults: readonly Fault[] = [],
    request: Partial<RunRequest> = {},
  ): Promise<Ended> {
    const id = drive.id(label);
    drive.emulator.setScript(id, { attempts: attempts.map((steps) => ({ steps })) });
    for (const fault of faults) drive.emulator.addFault({ ...fault, match: { ...fault.match, model: id } });
    const handle = await drive.runs.start(
      { assistant_id: 'bot', input: 'Go', model: id, ...DEADLINE, ...request },
      { id },
    );
    const result = await handle.outcome();
    const tasks = (await rawEvents(drive.client, id))
      .map(kindOf)
      .filter((kind) => kind === 'workflowTaskFailed');
    if (tasks.length > 0) throw new Error(`A workflow task of ${label} failed.`);
    const { startTime, closeTime } = await handle.workflow.describe();
    const took = ((closeTime?.getTime() ?? Infinity) - startTime.getTime()) / 1_000;
    const { limits = DEADLINE.limits } = request;
    return {
      code: result.code,
      result,
      late_s: took - (limits.deadline_seconds ?? 0),
      requests: requests(id),
    };
  }

  /** Of one run: each names its model, or what was made for it. */
  function requests(id: string): number {
    const journal = drive.emulator.journal();
    const own = journal.flatMap((entry) =>
      entry.kind === 'status' && entry.model === id ? [entry.id, entry.thread ?? entry.id] : [],
    );
    const isOwn = (text: string): boolean => text.includes(id) || own.some((made) => text.includes(made));
    return journal.filter(
      (entry) => entry.kind === 'request' && isOwn(`${entry.path} ${JSON.stringify(entry.body)}`),
    ).length;
  }

  /** What excuses that something lives on: a cancel that nobody confirmed, and a create that this wire cannot find. */
  const EXCUSES = ['cancel_unconfirmed', ...(wire === 'responses' ? ['create_ambiguous'] : [])];

  /** Ids of those runs that left something alive at the provider and do not say so. */
  function leftAlive(ended: readonly Ended[]): readonly string[] {
    const silent = ended.flatMap(({ result }) =>
      result.warnings.some(({ code }) => EXCUSES.includes(code)) ? [] : [result.run.id],
    );
    const alive = drive.emulator.liveRuns().map(({ metadata }) => metadata[METADATA_KEYS.run]);
    return silent.filter((id) => alive.includes(id));
  }

  const isEndless = ({ late_s, requests: asked }: Ended): boolean =>
    late_s > PAST_DEADLINE_S || asked > MOST_REQUESTS;

  /** What was made under another id than was said: nothing but a list could tell, and this wire has none. */
  const isUnfindable = (fault: Fault): boolean =>
    wire === 'responses' && 'malformed' in fault.do && fault.do.malformed === 'other_id';

  test('answers that are none, at each step, end the run or are got over', async () => {
    const cases = Object.entries(requestsOf).flatMap(([step, match]) =>
      SHAPES.map((malformed) => ({ step, match, malformed })),
    );
    const ended = await Promise.all(
      cases.map(async ({ step, match, malformed }) => {
        const attempt: Step[] =
          step === 'cancel'
            ? [{ hang: true }]
            : [{ call: [call('echo', { text: 'x' })] }, { answer: 'Done.' }];
        // Past its deadline a run is read until it is seen to have ended, which here it is at last.
        const times = step === 'retrieve' ? { times: 8 } : {};
        // What is got over takes a slow machine its time; what is not, ends by the deadline anyway.
        const isGotOver = EXPECTED[wire][step]?.includes(null) === true;
        const request = isGotOver ? { limits: { deadline_seconds: 40 } } : {};
        return await play(
          `${step}-${malformed}`,
          [attempt],
          [{ match, do: { malformed }, ...times }],
          request,
        );
      }),
    );
    const otherwise = ended.flatMap(({ code }, index) => {
      const { step = '', malformed } = cases[index] ?? {};
      return EXPECTED[wire][step]?.includes(code) === true ? [] : [{ step, malformed, code }];
    });
    expect(otherwise).toEqual([]);
    expect(leftAlive(ended)).toEqual([]);
    expect(ended.filter(isEndless)).toEqual([]);
  });

  test.skipIf(wire === 'responses')(
    'a create that is answered with the id of another run leaves nothing alive at the deadline',
    async () => {
      const other = { match: requestsOf['create'] ?? {}, times: 1, do: { malformed: 'other_id' } } as const;
      const ended = await play('other-hangs', [[{ hang: true }]], [other]);
      expect(ended.code).toBe('deadline_exceeded');
      expect(leftAlive([ended])).toEqual([]);
    },
  );

  test('what nobody can do ends the run by name', async () => {
    const many = Array.from({ length: 10_000 }, (_, n) => call('echo', { text: `${n}` }));
    const huge = 'i'.repeat(1_048_576);
    const played = {
      'ten thousand calls': [{ call: many }],
      'a call id of a megabyte': [{ call: [{ ...call('echo', { text: 'x' }), id: huge }] }],
      'a call id with half a character': [{ call: [{ ...call('echo', { text: 'x' }), id: 'call_\ud800' }] }],
      'a name of a megabyte': [{ call: [{ name: huge, arguments: '{}' }] }, { answer: 'Done.' }],
      'a status of a megabyte': [{ status: huge }],
      'a code of a megabyte': [{ fail: { code: huge, message: 'm' } }],
      'a reason of a megabyte': [{ incomplete: huge }],
    } satisfies Record<string, readonly Step[]>;
    const ended = await Promise.all(
      Object.entries(played).map(async ([what, attempt], index) => {
        const { code, result } = await play(`odd-${index}`, [attempt]);
        return [what, code, Buffer.byteLength(JSON.stringify(result))] as const;
      }),
    );
    expect(ended.filter(([, , bytes]) => bytes > LIMITS.resultBytes)).toEqual([]);
    expect(Object.fromEntries(ended.map(([what, code]) => [what, code]))).toMatchObject({
      'ten thousand calls': 'unsupported_action',
      'a call id of a megabyte': 'unsupported_action',
      'a call id with half a character': 'unsupported_action',
      'a name of a megabyte': null,
      'a status of a megabyte': 'deadline_exceeded',
      'a code of a megabyte': wire === 'assistants' ? 'run_failed' : 'deadline_exceeded',
      'a reason of a megabyte': 'incomplete',
    });
  });

  const think = fc.integer({ min: 0, max: 800 }).map((think_ms): Step => ({ think_ms }));
  const round = fc
    .array(
      fc.oneof(
        fc.integer({ min: 0, max: 3 }).map((n) => call('echo', { text: `${n}` })),
        fc.integer({ min: 0, max: 2 }).map((order) => call('refund', { order })),
        fc.constantFrom(call('echo', '{"text":'), call('nobody', {}), call('__proto__', {})),
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map((calls): Step => ({ call: calls }));
  const last = fc.constantFrom<Step>(
    { answer: '{{outputs}}' },
    { refuse: 'No.' },
    { incomplete: 'max_output_tokens' },
    { incomplete: 'content_filter' },
    { incomplete: 'odd' },
    { fail: { code: 'server_error', message: 'm' } },
    { fail: { code: 'rate_limit_exceeded', message: 'try again in 1s' } },
    { fail: { code: 'odd', message: 'm' } },
    { expire: true },
    { cancel: true },
    { vanish: true },
    { hang: true },
    { status: 'pondering' },
    { approve: [{ server_label: 's', name: 'n', arguments: {} }] },
    { reject: { status: 400, message: 'No.' } },
    { reject: { status: 503, message: 'Later.', retry_after_s: 1 } },
  );
  const attempt = fc
    .tuple(fc.array(fc.oneof(think, round), { maxLength: 4 }), last)
    .map(([before, end]) => [...before, end]);
  const action = fc.constantFrom<FaultAction>(
    ...SHAPES.map((malformed) => ({ malformed })),
    { reset: 'before' },
    { reset: 'after' },
    { status: 500 },
    { status: 500, after: true },
    { status: 429, retry_after_s: 1 },
    { status: 429, retry_after_s: 9_999_999 },
    { status: 404 },
    { status: 401 },
    { latency_ms: 700 },
    { latency_ms: 700, after: true },
    { busy: true },
  );
  const fault = fc.record({
    match: fc.constantFrom(...Object.values(requestsOf)),
    times: fc.integer({ min: 1, max: 4 }),
    do: action,
  });
  const runs = fc.record({
    attempts: fc.array(attempt, { minLength: 1, maxLength: 3 }),
    faults: fc.array(fault, { maxLength: 3 }),
    retry: fc.constantFrom({}, { attempts: 1 }, { attempts: 2, backoff_seconds: 0.1 }),
  });

  test('runs that go wrong in all kinds of ways at once each end by a code, and leave nothing alive', async () => {
    const played = fc.sample(runs, { seed: 20_261_127, numRuns: 16 });
    const ended = await Promise.all(
      played.map(({ attempts, faults, retry }, index) =>
        play(`mixed-${index}`, attempts, faults, { limits: { deadline_seconds: 8 }, retry }),
      ),
    );
    // By `internal` no run ends unless Drover has a mistake.
    const known: readonly (string | null)[] = [null, ...Object.keys(FAILURES)];
    expect(ended.filter(({ code }) => !known.includes(code) || code === 'internal')).toEqual([]);
    expect(ended.filter(isEndless)).toEqual([]);
    const findable = ended.filter((_, index) => played[index]?.faults.some(isUnfindable) !== true);
    expect(leftAlive(findable)).toEqual([]);
  });
});
