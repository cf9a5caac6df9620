/** What the model of a run does in each attempt, as a script of the emulator. Pure. */
import type { Script, ScriptAttempt, Step } from '../src/emulator/index.ts';
import type { Random } from './random.ts';
import type { PlannedEffect, Shape } from './shapes.ts';
import { traitsOf } from './tool-table.ts';

export interface PlannedCall extends PlannedEffect {
  /** The provider's id of it: it tells run, attempt, round and place. */
  readonly id: string;
}

type End = 'answer' | Exclude<Shape, 'plain' | 'exhausted' | 'cancelled_by_service'>;

export interface PlannedAttempt {
  readonly rounds: readonly (readonly PlannedCall[])[];
  readonly end: End;
  /** After how many rounds it ends so. */
  readonly endsAfter: number;
  /** Before each round and before the end. */
  readonly thinkMs: readonly number[];
  /** A status that nobody knows, before this turn, for so long. */
  readonly unknownStatus: { readonly turn: number; readonly ms: number } | null;
}

interface Wanted {
  readonly id: string;
  readonly shape: Shape;
  readonly rounds: readonly (readonly PlannedEffect[])[];
  readonly count: number;
}

/** Attempts that end before the one that goes well; the last of a shape that never goes well is the first. */
const FAILURES: Readonly<Record<Shape, (random: Random) => readonly End[]>> = {
  plain: () => [],
  cancelled_by_service: () => [],
  expires: (random) => (random.chance(0.3) ? ['expires', 'expires'] : ['expires']),
  vanishes: () => ['vanishes'],
  out_of_tokens: () => [],
  server_error: (random) => (random.chance(0.3) ? ['server_error', 'server_error'] : ['server_error']),
  rate_limited: () => ['rate_limited'],
  invalid_prompt: () => [],
  filtered: () => [],
  exhausted: () => [],
  cancelled_elsewhere: () => [],
};

const LAST: Readonly<Record<Shape, End>> = {
  plain: 'answer',
  cancelled_by_service: 'answer',
  expires: 'answer',
  vanishes: 'answer',
  out_of_tokens: 'out_of_tokens',
  server_error: 'answer',
  rate_limited: 'answer',
  invalid_prompt: 'invalid_prompt',
  filtered: 'filtered',
  exhausted: 'vanishes',
  cancelled_elsewhere: 'cancelled_elsewhere',
};

function think(random: Random): number {
  return random.weighted([
    [60, random.int(20, 300)],
    [28, random.int(300, 2_000)],
    [11, random.int(2_000, 7_000)],
    [1, random.int(20_000, 27_000)],
  ] as const);
}

/** A model that asks again words a third of it otherwise: other words for the same thing, or another order. */
function wordAgain(
  random: Random,
  rounds: readonly (readonly PlannedEffect[])[],
): readonly (readonly PlannedEffect[])[] {
  if (!random.chance(1 / 3)) return rounds;
  if (random.chance(0.5)) return rounds.map((calls) => random.shuffled(calls));
  return rounds.map((calls) =>
    calls.map((effect) =>
      traitsOf(effect.tool).keyed
        ? { ...effect, args: { ...effect.args, note: `in other words ${random.int(1, 99)}` } }
        : effect,
    ),
  );
}

export function planAttempts(random: Random, wanted: Wanted): readonly PlannedAttempt[] {
  const { id, shape, rounds, count } = wanted;
  const failures = FAILURES[shape](random);
  return Array.from({ length: count }, (_, attempt): PlannedAttempt => {
    const asked = attempt === 0 ? rounds : wordAgain(random, rounds);
    const end = failures[attempt] ?? LAST[shape];
    return {
      rounds: asked.map((calls, round) =>
        calls.map((effect, at) => ({ ...effect, id: `call_${id}_${attempt}_${round}_${at}` })),
      ),
      end,
      endsAfter: end === 'answer' ? rounds.length : random.int(0, rounds.length),
      thinkMs: Array.from({ length: rounds.length + 1 }, () => think(random)),
      unknownStatus: random.chance(0.04)
        ? { turn: random.int(0, rounds.length), ms: random.int(500, 6_000) }
        : null,
    };
  });
}

/** Above the first budget, below the second. */
const ENOUGH_TOKENS = 350;

function endStep(end: Exclude<End, 'answer'>): Step {
  switch (end) {
    case 'expires':
      return { expire: true };
    case 'vanishes':
      return { vanish: true };
    case 'out_of_tokens':
      return { incomplete: 'max_completion_tokens', unless_budget_at_least: ENOUGH_TOKENS };
    case 'server_error':
      return { fail: { code: 'server_error', message: 'The server had an error.' } };
    case 'rate_limited':
      return { fail: { code: 'rate_limit_exceeded', message: 'Rate limit reached.' } };
    case 'invalid_prompt':
      return { fail: { code: 'invalid_prompt', message: 'The prompt was refused.' } };
    case 'filtered':
      return { incomplete: 'content_filter' };
    case 'cancelled_elsewhere':
      return { cancel: true };
    default:
      return end satisfies never;
  }
}

function stepsOf(attempt: PlannedAttempt, answer: string): readonly Step[] {
  const steps: Step[] = [];
  const { rounds, end, endsAfter, thinkMs, unknownStatus } = attempt;
  for (let turn = 0; turn <= rounds.length; turn += 1) {
    if (unknownStatus?.turn === turn) steps.push({ status: 'pondering', for_ms: unknownStatus.ms });
    steps.push({ think_ms: thinkMs[turn] ?? 0 });
    // What follows it is played where a provider goes on after the step that failed.
    if (end !== 'answer' && endsAfter === turn) steps.push(endStep(end));
    const calls = rounds[turn];
    if (calls !== undefined)
      steps.push({ call: calls.map(({ id, tool, args }) => ({ id, name: tool, arguments: { ...args } })) });
  }
  return [...steps, { answer }];
}

export function scriptOf(attempts: readonly PlannedAttempt[], answer: string): Script {
  return {
    attempts: attempts.map((attempt): ScriptAttempt => ({ steps: stepsOf(attempt, answer) })),
  };
}
