/** A seed's run plans: what each run is asked for, what its model does, and how it may end. Pure. */
import type { RunLimits, RetryPolicy } from '../src/contract.ts';
import type { Script } from '../src/emulator/index.ts';
import type { EndCode } from '../src/failures.ts';
import type { TurnPolicy } from '../src/turns.ts';
import { Random } from './random.ts';
import { planAttempts, scriptOf } from './script.ts';
import type { PlannedAttempt } from './script.ts';
import type { PlannedEffect, Shape } from './shapes.ts';
import { LONELY_TOOLS, PEOPLE_TOOLS, traitsOf } from './tool-table.ts';

/** The assistant of every run; its model is the run's own. */
export const ASSISTANT = 'faults';

/** The backend whose waits listen. */
export const STREAMED = 'streamed';

export type Wire = 'assistants' | 'responses';

export interface RunPlan {
  /** The workflow id; the model that plays its script has the same name. */
  readonly id: string;
  readonly shape: Shape;
  readonly wire: Wire;
  /** Its waits expect the provider's webhooks. */
  readonly pushed: boolean;
  /** Its waits listen, and somebody watches what the model says. */
  readonly streamed: boolean;
  /** It goes on with a thread, or conversation, that is there before. */
  readonly onThread: boolean;
  /** The run whose thread it goes on with; null where the thread is its own. */
  readonly follows: string | null;
  /** What it does where that run is still at work. */
  readonly onBusyThread: TurnPolicy;
  /** After the beginning of all. */
  readonly startsAfterMs: number;
  /** When its service cancels it, after its own start. */
  readonly cancelAfterMs: number | null;
  /** In the order in which the provider plays them; the last one repeats. */
  readonly attempts: readonly PlannedAttempt[];
  readonly script: Script;
  readonly input: string;
  readonly budget: number | null;
  readonly retry: RetryPolicy;
  readonly limits: RunLimits;
  /** Codes of an end that is right; null is completed. */
  readonly ends: readonly (EndCode | null)[];
}

/** An answer that is listened to has many words, none of them twice. */
const WORDS = 200;

export const answerOf = ({ id, streamed }: Pick<RunPlan, 'id' | 'streamed'>): string =>
  `${id} is done.${streamed ? Array.from({ length: WORDS }, (_, n) => ` word-${n}`).join('') : ''}`;

const WEIGHTS: readonly (readonly [number, Shape])[] = [
  [52, 'plain'],
  [12, 'expires'],
  [5, 'vanishes'],
  [7, 'out_of_tokens'],
  [7, 'server_error'],
  [3, 'rate_limited'],
  [3, 'invalid_prompt'],
  [2, 'filtered'],
  [2, 'exhausted'],
  [2, 'cancelled_elsewhere'],
  [5, 'cancelled_by_service'],
];

/** Right ends, if nothing else happens to the run. */
const ENDS: Readonly<Record<Shape, readonly (EndCode | null)[]>> = {
  plain: [null],
  expires: [null],
  vanishes: [null],
  out_of_tokens: [null],
  server_error: [null],
  rate_limited: [null],
  invalid_prompt: ['invalid_prompt'],
  filtered: ['content_filter'],
  exhausted: ['attempts_exhausted'],
  cancelled_elsewhere: ['cancelled_elsewhere'],
  cancelled_by_service: ['cancelled'],
};

const PEOPLE_STREAM = 1_000_000;
const TURNS_STREAM = 2_000_000;
const WEBHOOKS_STREAM = 3_000_000;
const STREAMS_STREAM = 5_000_000;
const LIMITS_STREAM = 4_000_000;
const HOLDS_STREAM = 6_000_000;
const CANCELS_STREAM = 7_000_000;

/** One attempt more than the script's own failures, and room for those that a fault makes expire. */
const ATTEMPTS = 10;

function effectsOf(random: Random, id: string): readonly (readonly PlannedEffect[])[] {
  const rounds = random.weighted([
    [15, 0],
    [35, 1],
    [22, 2],
    [14, 3],
    [8, 4],
    [6, 5],
  ] as const);
  return Array.from({ length: rounds }, (_, round) => {
    const calls = random.weighted([
      [40, 1],
      [25, 2],
      [15, 3],
      [8, 4],
      [12, random.int(5, 8)],
    ] as const);
    const effects = Array.from({ length: calls }, (__, call): PlannedEffect => {
      const slow = random.chance(0.04);
      return {
        tool: random.pick(LONELY_TOOLS),
        args: {
          item: `${id}-${round}-${call}`,
          note: 'as first asked',
          work_ms: slow ? random.int(2_000, 9_000) : random.int(5, 250),
          hold_ms: random.chance(0.3) ? random.int(300, 1_500) : 0,
        },
      };
    });
    // The same twice, in one breath.
    return random.chance(0.12) ? [...effects, ...effects.slice(0, 1)] : effects;
  });
}

/** A quarter of the runs need people: some of their calls wait for a word. */
function withPeople(
  random: Random,
  rounds: readonly (readonly PlannedEffect[])[],
): readonly (readonly PlannedEffect[])[] {
  if (!random.chance(0.25)) return rounds;
  const tool = random.pick(PEOPLE_TOOLS);
  return rounds.map((calls) => {
    const chosen = random.pick(calls);
    // One and the same effect may be asked for twice in a round: then it stays one.
    return calls.map((effect) => (effect === chosen ? { ...effect, tool } : effect));
  });
}

/** A tenth of the `once` calls answer late enough for something to befall them in the middle of their work. */
function withHolds(
  random: Random,
  rounds: readonly (readonly PlannedEffect[])[],
): readonly (readonly PlannedEffect[])[] {
  const held = new Map<string, number>();
  for (const { tool, args } of rounds.flat()) {
    if (held.has(args.item) || traitsOf(tool).effect !== 'once') continue;
    held.set(args.item, random.chance(0.1) ? random.int(3_000, 6_000) : args.hold_ms);
  }
  // One and the same effect, asked for twice, stays one.
  return rounds.map((calls) =>
    calls.map(({ tool, args }) => ({
      tool,
      args: { ...args, hold_ms: held.get(args.item) ?? args.hold_ms },
    })),
  );
}

/** Half of the cancels come while the run is only just beginning. */
function cancelAfter(random: Random, drawn: number): number {
  return random.chance(0.5) ? random.int(20, 1_500) : drawn;
}

/** Fewer rounds than its model plays: what some of the runs with two rounds or more may spend. */
function roundLimit(random: Random, rounds: number): number | null {
  return rounds >= 2 && random.chance(0.06) ? random.int(1, rounds - 1) : null;
}

function planOne(seed: number, n: number, prefix: string, spanMs: number): RunPlan {
  const random = new Random(seed, n + 1);
  const id = `${prefix}-${n}`;
  const wire = random.pick(['assistants', 'responses'] as const);
  const drawn = random.weighted(WEIGHTS);
  // Nothing expires on the Responses wire.
  const shape = drawn === 'expires' && wire === 'responses' ? 'server_error' : drawn;
  // A stream of its own: who needs people changes nothing else of a seed's plans.
  const asked = withPeople(new Random(seed, PEOPLE_STREAM + n), effectsOf(random, id));
  const rounds = withHolds(new Random(seed, HOLDS_STREAM + n), asked);
  const attempts = planAttempts(random, { id, shape, rounds, count: ATTEMPTS });
  const most = roundLimit(new Random(seed, LIMITS_STREAM + n), rounds.length);
  const pushed = wire === 'responses' && new Random(seed, WEBHOOKS_STREAM + n).chance(0.4);
  const streamed = wire === 'responses' && !pushed && new Random(seed, STREAMS_STREAM + n).chance(0.4);
  const continues = rounds.length > 0 && random.chance(0.5);
  return {
    id,
    shape,
    wire,
    pushed,
    streamed,
    onThread: random.chance(0.4),
    follows: null,
    onBusyThread: 'enqueue',
    startsAfterMs: Math.floor(random.fraction() * spanMs),
    cancelAfterMs:
      shape === 'cancelled_by_service'
        ? cancelAfter(new Random(seed, CANCELS_STREAM + n), random.int(200, 15_000))
        : null,
    attempts,
    script: scriptOf(attempts, answerOf({ id, streamed })),
    input: `Please do ${id}.`,
    budget: shape === 'out_of_tokens' ? 300 : null,
    retry: { attempts: shape === 'exhausted' ? 2 : ATTEMPTS, backoff_seconds: 1 },
    limits: {
      deadline_seconds: 900,
      ...(continues ? { history_events: random.int(16, 30) } : {}),
      ...(most === null ? {} : { rounds: most }),
    },
    ends: most === null ? endsOf(shape, wire, attempts) : limitedEnds(shape),
  };
}

/**
 * A later step that vanished is made again on the Responses wire after the last good one, and the model goes on after what
 * ended it.
 */
function endsOf(shape: Shape, wire: Wire, [first]: RunPlan['attempts']): RunPlan['ends'] {
  const goesOn = shape === 'exhausted' && wire === 'responses' && (first?.endsAfter ?? 0) > 0;
  return goesOn ? [...ENDS[shape], null] : ENDS[shape];
}

/** No attempt answers before all of its rounds; what ends a run otherwise may come first. */
const limitedEnds = (shape: Shape): RunPlan['ends'] => [
  ...ENDS[shape].filter((end) => end !== null),
  'rounds_exceeded',
];

/** One in six speaks on the thread of an earlier run, soon after it. */
function followOne(seed: number, n: number, plan: RunPlan, before: readonly RunPlan[]): RunPlan {
  const random = new Random(seed, TURNS_STREAM + n);
  const leaders = before.filter(
    ({ onThread, follows, wire }) => onThread && follows === null && wire === plan.wire,
  );
  if (leaders.length === 0 || !random.chance(0.16)) return plan;
  const leader = random.pick(leaders);
  const onBusyThread = random.weighted([
    [70, 'enqueue'],
    [20, 'interrupt'],
    [10, 'reject'],
  ] as const);
  return {
    ...plan,
    onThread: true,
    follows: leader.id,
    onBusyThread,
    startsAfterMs: leader.startsAfterMs + random.int(50, 6_000),
  };
}

/**
 * @param spanMs the time over which the runs are started
 * @param prefix of their ids: they are workflow ids
 */
export function planRuns(
  seed: number,
  options: { readonly count: number; readonly spanMs: number; readonly prefix: string },
): readonly RunPlan[] {
  // A stream a run: one more run changes none of the others.
  const plans: RunPlan[] = [];
  for (let n = 0; n < options.count; n += 1) {
    plans.push(followOne(seed, n, planOne(seed, n, options.prefix, options.spanMs), plans));
  }
  return plans;
}
