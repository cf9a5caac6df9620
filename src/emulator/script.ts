/** The scripted model: what an assistant does next, as plain JSON. */
import { z } from 'zod';

/** One function call of the model. A string goes out as it stands, malformed JSON included. */
export interface ScriptCall {
  readonly name: string;
  readonly arguments: string | { readonly [key: string]: unknown };
  /** @default a random `call_…` */
  readonly id?: string;
}

/** One approval that a remote MCP server's tool asks for. */
export interface ScriptApproval {
  readonly server_label: string;
  readonly name: string;
  readonly arguments: string | { readonly [key: string]: unknown };
}

export interface ScriptUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly cached_tokens?: number;
  readonly reasoning_tokens?: number;
}

/**
 * One step. A turn is played up to and with its first step that ends it: `call`, `approve`, `answer`, `refuse`,
 * `incomplete`, `fail`, `expire`, `cancel`, `vanish`, `hang`, or a `status` without `for_ms`.
 */
export type Step =
  | { readonly think_ms: number }
  /** A message before the turn's end, such as the words before a call. */
  | { readonly say: string }
  /** A reasoning item. Only the Responses wire shows it. */
  | { readonly reason: string }
  /** What this turn uses, instead of the default. */
  | { readonly usage: ScriptUsage }
  | { readonly call: readonly ScriptCall[] }
  | { readonly approve: readonly ScriptApproval[] }
  /** Templates: `{{outputs}}` (all, one a line), `{{output.NAME}}` (last of that tool), `{{output.0}}` (by order). */
  | { readonly answer: string }
  | { readonly refuse: string }
  | {
      readonly incomplete: string;
      /** What it said before it was cut. */
      readonly text?: string;
      /** Skipped where the request's token budget is at least this. */
      readonly unless_budget_at_least?: number;
    }
  | { readonly fail: { readonly code: string; readonly message: string } }
  /** Expires before its time. On the Responses wire nothing expires: there it hangs. */
  | { readonly expire: true }
  /** A status of any name, for a time or for ever. */
  | { readonly status: string; readonly for_ms?: number }
  /** `in_progress` for ever; neither script nor clock ends it, a cancel does. */
  | { readonly hang: true }
  /** Cancelled by somebody else. */
  | { readonly cancel: true }
  /** Gone from the store: whoever reads it from now on is told 404. */
  | { readonly vanish: true }
  /** The request that would play this step is refused over HTTP, as Azure's content filter does. */
  | {
      readonly reject: {
        readonly status: number;
        readonly message: string;
        readonly code?: string | null;
        readonly type?: string;
        readonly param?: string | null;
        readonly retry_after_s?: number;
      };
    };

export interface ScriptAttempt {
  readonly steps: readonly Step[];
  /** How a run ends that is asked to cancel: a cancel is attempted, not guaranteed. @default 'cancelled' */
  readonly on_cancel?: 'cancelled' | 'completed' | 'failed' | 'incomplete' | 'expired';
}

/** The nth create of one logical run plays the nth attempt; the last one repeats. */
export interface Script {
  readonly attempts: readonly ScriptAttempt[];
}

const args = z.union([z.string(), z.record(z.string(), z.unknown())]);
const ms = z.number().min(0).max(2_147_483_647);
const tokens = z.int().min(0);

const STEP_SCHEMAS = {
  think_ms: z.strictObject({ think_ms: ms }),
  say: z.strictObject({ say: z.string() }),
  reason: z.strictObject({ reason: z.string() }),
  usage: z.strictObject({
    usage: z.strictObject({
      prompt_tokens: tokens,
      completion_tokens: tokens,
      cached_tokens: tokens.optional(),
      reasoning_tokens: tokens.optional(),
    }),
  }),
  call: z.strictObject({
    call: z
      .array(z.strictObject({ name: z.string(), arguments: args, id: z.string().min(1).optional() }))
      .min(1),
  }),
  approve: z.strictObject({
    approve: z.array(z.strictObject({ server_label: z.string(), name: z.string(), arguments: args })).min(1),
  }),
  answer: z.strictObject({ answer: z.string() }),
  refuse: z.strictObject({ refuse: z.string() }),
  incomplete: z.strictObject({
    incomplete: z.string().min(1),
    text: z.string().optional(),
    unless_budget_at_least: z.int().min(1).optional(),
  }),
  fail: z.strictObject({ fail: z.strictObject({ code: z.string().min(1), message: z.string() }) }),
  expire: z.strictObject({ expire: z.literal(true) }),
  status: z.strictObject({ status: z.string().min(1), for_ms: ms.optional() }),
  hang: z.strictObject({ hang: z.literal(true) }),
  cancel: z.strictObject({ cancel: z.literal(true) }),
  vanish: z.strictObject({ vanish: z.literal(true) }),
  reject: z.strictObject({
    reject: z.strictObject({
      status: z.int().min(400).max(599),
      message: z.string(),
      code: z.string().nullable().optional(),
      type: z.string().optional(),
      param: z.string().nullable().optional(),
      retry_after_s: z.number().min(0).optional(),
    }),
  }),
} as const;

const SCRIPT_SHELL = z.strictObject({
  attempts: z
    .array(
      z.strictObject({
        steps: z.array(z.record(z.string(), z.unknown())),
        on_cancel: z.enum(['cancelled', 'completed', 'failed', 'incomplete', 'expired']).optional(),
      }),
    )
    .min(1),
});

/** A script that cannot be played. `mistakes` names each with its place. */
export class ScriptError extends Error {
  readonly mistakes: readonly string[];

  constructor(name: string, mistakes: readonly string[]) {
    super(`The script '${name}' has ${mistakes.length} mistake(s): ${mistakes.join('; ')}. Correct them.`);
    this.name = 'ScriptError';
    this.mistakes = mistakes;
  }
}

function describeIssues(error: z.ZodError, prefix: readonly PropertyKey[]): string[] {
  return error.issues.map((issue) => `${[...prefix, ...issue.path].join('.') || 'script'}: ${issue.message}`);
}

function checkStep(step: Record<string, unknown>, place: readonly PropertyKey[]): string[] {
  const kinds = (Object.keys(STEP_SCHEMAS) as (keyof typeof STEP_SCHEMAS)[]).filter((kind) =>
    Object.hasOwn(step, kind),
  );
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    const known = Object.keys(STEP_SCHEMAS).join(', ');
    return [`${place.join('.')}: a step has exactly one of ${known}; this one has ${kinds.length}`];
  }
  const checked = STEP_SCHEMAS[kind].safeParse(step);
  return checked.success ? [] : describeIssues(checked.error, place);
}

/** A copy of plain JSON; null for what goes round in circles, throws or has no JSON. */
export function copyJson(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(value)) as unknown;
  } catch {
    return null;
  }
}

/**
 * Reads a script.
 *
 * @throws {ScriptError} with every mistake named.
 */
export function checkScript(name: string, value: unknown): Script {
  const shell = SCRIPT_SHELL.safeParse(value);
  if (!shell.success) throw new ScriptError(name, describeIssues(shell.error, []));
  const mistakes = shell.data.attempts.flatMap((attempt, n) =>
    attempt.steps.flatMap((step, m) => checkStep(step, ['attempts', n, 'steps', m])),
  );
  if (mistakes.length > 0) throw new ScriptError(name, mistakes);
  const copy = copyJson(value);
  if (copy === null) throw new ScriptError(name, ['script: it is no plain JSON']);
  return copy as Script;
}

/** Played for a model without a script of its own. */
export const DEFAULT_SCRIPT: Script = { attempts: [{ steps: [{ answer: 'Hello from the emulator.' }] }] };
