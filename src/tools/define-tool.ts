/** How a service defines its tools: handlers in the worker, or tools that another worker runs. */
import type { Duration, Logger, Priority } from '@temporalio/common';
import type { z } from 'zod';
import type { Json, JsonObject } from '../run.ts';
import type { ToolPolicy } from '../steps.ts';

/**
 * What a tool does to the world. `none`: it only reads. `idempotent`: done twice with one
 * `idempotencyKey` is done once. `once`: a handler is never started a second time for one key.
 */
export type Effect = ToolPolicy['effect'];

/** What becomes of a run whose `once` tool may or may not have acted. */
export type OnUnknown = ToolPolicy['on_unknown'];

/** How the tool's activity is run. Durations are Temporal's: milliseconds, or text such as `'2 minutes'`. */
export interface ToolActivity {
  /** For one try. @default '2 minutes' */
  readonly startToCloseTimeout?: Duration;
  /** How long a try may wait for a worker. @default '5 minutes' for `once`, else none */
  readonly scheduleToStartTimeout?: Duration;
  /**
   * A worker silent for this long counts as dead. Drover sends the beats of a tool of this worker, unless its
   * handler blocks the event loop; a remote tool's worker sends its own.
   * @default '5 seconds'; none for a remote tool
   */
  readonly heartbeatTimeout?: Duration;
  /** Ignored for `once`, whose handler is never started twice. */
  readonly retry?: {
    /** Tries in all. @default 3 */
    readonly maximumAttempts?: number;
    /** @default '1 second' */
    readonly initialInterval?: Duration;
    /** @default 2 */
    readonly backoffCoefficient?: number;
    /** @default '30 seconds' */
    readonly maximumInterval?: Duration;
  };
  /** @default the run's own task queue */
  readonly taskQueue?: string;
  /** Temporal's priority and fairness. @default the run's own */
  readonly priority?: Priority;
}

/** What a handler is given beside its arguments. */
export interface ToolContext<Context = unknown> {
  /** The service's trusted JSON, read by the tool's `context` schema; as it came where there is none. */
  readonly context: Context;
  /** The effect ledger's key: the same for every try of one effect. Hand it to the system that acts. */
  readonly idempotencyKey: string;
  /** Aborted when the run is cancelled, the worker stops or the try timed out. Ten seconds later it is given up. */
  readonly signal: AbortSignal;
  /** Tells Temporal UI how far it is, and the next try by {@link heartbeatDetails}. No secrets: it stands in the history. */
  readonly heartbeat: (details?: Json) => void;
  /** What the last try before this one told {@link heartbeat}; undefined on the first. */
  readonly heartbeatDetails: unknown;
  readonly log: Logger;
  /** The logical run: the workflow id. */
  readonly runId: string;
  readonly toolCallId: string;
  /** Which attempt of the run asked, from 1. */
  readonly attempt: number;
}

/** What an effect is told apart by: any JSON. */
export type EffectKey = Json | readonly unknown[];

/** What a `lookup` found out about an effect whose outcome was unknown. */
export type LookupResult =
  { readonly status: 'done'; readonly output: unknown } | { readonly status: 'not_done' | 'unknown' };

/** How long a call waits for people, and what becomes of it then. */
export interface DecisionLimit {
  /** Neither the run's deadline nor its attempt's counts meanwhile. @default '7 days' */
  readonly timeout?: Duration;
  /**
   * `reject`: the model reads that nobody decided. `end`: the run ends by `undecided`.
   * @default 'reject'
   */
  readonly onTimeout?: 'reject' | 'end';
}

interface ToolTraits {
  /** What the model calls: 1 to 64 of `a-z A-Z 0-9 _ -`. */
  readonly name: string;
  /** What the model reads about it. */
  readonly description: string;
  /** @default 'idempotent' */
  readonly effect?: Effect;
  /** For `once` only. @default 'end' */
  readonly onUnknown?: OnUnknown;
  /** For `none` only: answer a re-created attempt from the ledger instead of running again. @default false */
  readonly reuse?: boolean;
  /** A larger output is dropped, and the model is told so. At most 256 KB. @default 65536 */
  readonly maxOutputBytes?: number;
  /**
   * Have the provider hold the model to the schema. `true` refuses a schema that does not qualify.
   * @default true where the schema qualifies
   */
  readonly strict?: boolean;
  /**
   * For calls that wait on people: approvals, outputs of an external tool, and, without `onTimeout`, unknown outcomes
   * of a tool with `onUnknown: 'wait'`.
   */
  readonly decision?: DecisionLimit;
}

/** Declared by a method, so that a tool of any arguments is a tool. */
type ApprovalRule<Input, Context> = {
  rule(args: Input, ctx: { readonly context: Context }): boolean;
}['rule'];

/** The part of a definition whose types follow from the schemas. */
interface EffectHandlers<Input, Args, Context> {
  /**
   * What tells one effect from another, computed before the schema's defaults and transforms. Plain JSON, given at
   * once: what JSON cannot say (a promise, a Map) names no effect, and the call is refused.
   * @default all arguments
   */
  effectKey?(args: Input, ctx: { readonly context: Context }): EffectKey;
  /** Settles an unknown outcome of a `once` tool. A throw is retried. */
  lookup?(key: string, args: Args, ctx: ToolContext<Context>): Promise<LookupResult> | LookupResult;
  /**
   * Whether somebody has to allow a call before it runs: always, or as a function of its arguments says, before the
   * schema's defaults and transforms. It answers at once; where it throws or gives anything but false, somebody is asked.
   * @default false
   */
  readonly needsApproval?: boolean | ApprovalRule<Input, Context>;
}

export interface ToolOptions<P extends z.ZodObject, C extends z.ZodType>
  extends ToolTraits, EffectHandlers<z.input<P>, z.output<P>, z.output<C>> {
  readonly parameters: P;
  /** The shape of the run's trusted `context`, checked before a run starts. @default any JSON */
  readonly context?: C;
  readonly activity?: ToolActivity;
  /**
   * Does the work. A string is the output as it stands, anything else goes out as JSON, undefined as an
   * empty text. Throw `ToolError` to tell the model what went wrong; of any other error it learns nothing.
   */
  execute(args: z.output<P>, ctx: ToolContext<z.output<C>>): unknown;
}

export interface ExternalToolOptions<P extends z.ZodObject, C extends z.ZodType>
  extends
    Omit<ToolTraits, 'onUnknown' | 'reuse' | 'effect'>,
    Pick<EffectHandlers<z.input<P>, z.output<P>, z.output<C>>, 'needsApproval'> {
  readonly parameters: P;
  readonly context?: C;
  /** The service runs it: it reads what waits and hands in the output, see `RunHandle.answer`. */
  readonly external: true;
}

/** A JSON Schema document, or a zod object from which one is made. */
export type RemoteParameters = z.ZodObject | JsonObject;
type RemoteInput<P extends RemoteParameters> = P extends z.ZodObject ? z.input<P> : JsonObject;
type RemoteArgs<P extends RemoteParameters> = P extends z.ZodObject ? z.output<P> : JsonObject;

export interface RemoteToolOptions<P extends RemoteParameters, C extends z.ZodType>
  extends ToolTraits, EffectHandlers<RemoteInput<P>, RemoteArgs<P>, z.output<C>> {
  /** Sent to the provider as it stands; `strict` only where it qualifies so. */
  readonly parameters: P;
  readonly context?: C;
  /** The task queue of the worker that runs it. */
  readonly activity: ToolActivity & { readonly taskQueue: string };
}

export type Tool<P extends z.ZodObject = z.ZodObject, C extends z.ZodType = z.ZodType> = ToolOptions<P, C> & {
  readonly kind: 'local';
};

export type RemoteTool<
  P extends RemoteParameters = RemoteParameters,
  C extends z.ZodType = z.ZodType,
> = RemoteToolOptions<P, C> & { readonly kind: 'remote' };

export type ExternalTool<
  P extends z.ZodObject = z.ZodObject,
  C extends z.ZodType = z.ZodType,
> = ExternalToolOptions<P, C> & { readonly kind: 'external' };

/** Marks a tool of this worker whose parameters are a JSON Schema document, which is sent as it stands. */
export const DOCUMENT: unique symbol = Symbol.for('drover.document');

/** Any tool, its arguments' types forgotten. */
export type AnyTool = Tool | RemoteTool | ExternalTool;

/**
 * Defines a tool whose handler runs in Drover's worker, or, with `external: true`, one that the service runs itself.
 * Never throws: its mistakes are found where it is registered, all tools' together.
 */
export function defineTool<P extends z.ZodObject, C extends z.ZodType = z.ZodType<Json>>(
  options: ToolOptions<P, C>,
): Tool<P, C>;
export function defineTool<P extends z.ZodObject, C extends z.ZodType = z.ZodType<Json>>(
  options: ExternalToolOptions<P, C>,
): ExternalTool<P, C>;
export function defineTool<P extends z.ZodObject, C extends z.ZodType>(
  options: ToolOptions<P, C> | ExternalToolOptions<P, C>,
): Tool<P, C> | ExternalTool<P, C> {
  return 'external' in options
    ? Object.freeze({ ...options, kind: 'external' as const })
    : Object.freeze({ ...options, kind: 'local' as const });
}

/**
 * Defines a tool that another worker, in any language, runs as an activity of the tool's name on
 * `activity.taskQueue`. It is given one `ToolInput` and returns the output as text. For `once` that
 * worker has to keep its own fence.
 */
export function defineRemoteTool<P extends RemoteParameters, C extends z.ZodType = z.ZodType<Json>>(
  options: RemoteToolOptions<P, C>,
): RemoteTool<P, C> {
  return Object.freeze({ ...options, kind: 'remote' as const });
}
