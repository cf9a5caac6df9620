/** What a deployment configures: backends, assistants, tools, limits; and its frozen, checked form. */
import type { DataConverter } from '@temporalio/common';
import type { WorkerOptions } from '@temporalio/worker';
import type { Backend } from './backends/backend.ts';
import type { RetryPolicy, RunLimits, RunRequest } from './contract.ts';
import type { Decision, WaitingCall } from './decisions.ts';
import type { Json, RunUsage } from './run.ts';
import type { AnyTool } from './tools/define-tool.ts';
import type { ToolRegistry } from './tools/registry.ts';

/** What `responses({…})` and `assistants({…})` return: builds the backend under its configured name. */
export type BackendFactory = (name: string) => Backend;

/** Defaults of a run under one name: each field of the request that is absent is taken from here. */
export type AssistantConfig = Pick<
  RunRequest,
  | 'backend'
  | 'model'
  | 'instructions'
  | 'tools'
  | 'temperature'
  | 'top_p'
  | 'reasoning_effort'
  | 'max_prompt_tokens'
  | 'max_completion_tokens'
  | 'truncation_strategy'
  | 'tool_choice'
  | 'parallel_tool_calls'
  | 'response_format'
> & {
  /** The provider's own id, on a wire that has assistants. @default the name itself */
  readonly provider_assistant_id?: string;
};

/** Where `{"secret": "NAME"}` in a request's tools is looked up, in the worker. */
export type SecretSource = Readonly<Record<string, string | (() => string | Promise<string>)>>;

/**
 * Whether a decision on a call counts: true, or false, or in a few words why it does not, which whoever decided reads. It
 * is asked in the worker, once the decision is recorded and before the call goes on; a throw is retried, five times in all.
 * Temporal authenticates the namespace and not the person: `by` is what the caller says of itself.
 *
 * @param context the run's trusted context
 */
export type AuthorizeDecision = (
  decision: Decision,
  call: WaitingCall & { readonly run_id: string },
  context: Json,
) => boolean | string | Promise<boolean | string>;

/** What no request may ask more of than this. `attempts` is that of `retry`. */
export type Ceilings = Omit<RunLimits, 'history_events'> & { readonly attempts?: number };

/**
 * What tokens cost, in a unit of one's own: asked in the worker, for all that an attempt has spent so far. It answers at
 * once with a number from 0.
 *
 * @param model as the provider names it; null where it has not said
 */
export type Price = (usage: RunUsage, model: string | null) => number;

export interface DroverConfig {
  /** @default 'drover' */
  readonly taskQueue?: string;
  readonly backends: Readonly<Record<string, BackendFactory>>;
  /** @default the only backend there is */
  readonly defaultBackend?: string;
  readonly assistants?: Readonly<Record<string, AssistantConfig>>;
  readonly tools?: readonly AnyTool[];
  readonly limits?: RunLimits;
  readonly retry?: RetryPolicy;
  /** @default none */
  readonly ceilings?: Ceilings;
  /** @default none: results tell tokens and no cost */
  readonly price?: Price;
  readonly secrets?: SecretSource;
  /** @default every decision counts */
  readonly authorizeDecision?: AuthorizeDecision;
  /** Shared by worker, client, CLI and replay. Codecs and converters as in Temporal's SDK. */
  readonly dataConverter?: DataConverter;
  /** Passed through to `Worker.create`: slots, pollers, versioning. */
  readonly worker?: Partial<Omit<WorkerOptions, 'taskQueue' | 'workflowBundle' | 'workflowsPath'>>;
  readonly metrics?: {
    /** `host:port` of the Prometheus endpoint. @default none */
    readonly prometheus?: string;
  };
}

/** The configuration after every check: nothing in it is missing or wrong. */
export interface LoadedConfig {
  readonly taskQueue: string;
  readonly backends: ReadonlyMap<string, Backend>;
  readonly defaultBackend: string;
  readonly assistants: ReadonlyMap<string, AssistantConfig>;
  readonly registry: ToolRegistry;
  readonly limits: RunLimits;
  readonly retry: RetryPolicy;
  readonly ceilings: Ceilings;
  readonly price: Price | undefined;
  readonly secrets: SecretSource;
  readonly authorizeDecision: AuthorizeDecision | undefined;
  readonly dataConverter: DataConverter | undefined;
  readonly worker: NonNullable<DroverConfig['worker']>;
  readonly metrics: NonNullable<DroverConfig['metrics']>;
}

/** Types a configuration; checks happen when a worker loads it. */
export function defineConfig(config: DroverConfig): DroverConfig {
  return config;
}
