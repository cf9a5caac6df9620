/** Applies the configuration to a request: what the backend is asked for, and what the model may call. */
import type { Backend, ResolvedRun } from './backends/backend.ts';
import { untilAborted } from './backends/until-aborted.ts';
import type { AssistantConfig, LoadedConfig, SecretSource } from './config.ts';
import { METADATA_KEYS } from './contract.ts';
import type { InputMessage, Issue, RunRequest } from './contract.ts';
import { InvalidRequestError, RunRefusedError } from './errors.ts';
import { checkRunId, parseRunRequest } from './request.ts';
import { shorten } from './request-issues.ts';
import { replaceSecrets } from './request-secrets.ts';
import { functionName } from './request-tools.ts';
import type { JsonObject } from './run.ts';
import type { AttemptOverrides } from './steps.ts';
import { checkContext } from './tools/check-context.ts';

export interface ResolveOptions {
  readonly request: RunRequest;
  readonly config: LoadedConfig;
  readonly runId: string;
  /** Drover's key of this attempt. */
  readonly key: string;
  readonly overrides: AttemptOverrides;
  /** The request has been checked before, when the run was created: rules made since do not end it. @default false */
  readonly checked?: boolean;
}

export interface Resolved {
  readonly run: ResolvedRun;
  readonly backend: Backend;
  /** Functions that the model may call. Null: those that the provider's own run object lists. */
  readonly allowed: ReadonlySet<string> | null;
}

/** A source of `secrets` threw. Retryable: a vault may answer the next time. Its own words are withheld. */
export class SecretSourceError extends Error {
  /** For which it was wanted. */
  readonly backend: string;

  constructor(name: string, backend: string) {
    super(`The secret ${name} could not be read: its source in \`secrets\` of the configuration threw.`);
    this.name = 'SecretSourceError';
    this.backend = backend;
  }
}

/** Fields that an assistant of the configuration gives where the request says nothing. */
const SHARED_FIELDS = [
  'model',
  'instructions',
  'reasoning_effort',
  'temperature',
  'top_p',
  'max_prompt_tokens',
  'max_completion_tokens',
  'truncation_strategy',
  'tool_choice',
  'parallel_tool_calls',
  'response_format',
] as const satisfies readonly (keyof RunRequest & keyof AssistantConfig)[];

function findBackend(
  request: RunRequest,
  assistant: AssistantConfig | undefined,
  config: LoadedConfig,
): Backend {
  const name = request.backend ?? assistant?.backend ?? config.defaultBackend;
  const backend = config.backends.get(name);
  if (backend !== undefined) return backend;
  throw new RunRefusedError(
    'unknown_backend',
    `This worker has no backend ${shorten(name) ?? '(name withheld)'}; it has ${[...config.backends.keys()].join(', ')}. Add it to \`backends\` of every worker of this task queue, or name another.`,
  );
}

/**
 * On a wire without assistants of its own the name has to be the configuration's, unless the request
 * itself says a model: then the id is a label and the request says the rest.
 */
function requireAssistant(
  request: RunRequest,
  assistant: AssistantConfig | undefined,
  backend: Backend,
): void {
  if (assistant !== undefined || backend.capabilities.ownAssistants || typeof request.model === 'string')
    return;
  throw new RunRefusedError(
    'unknown_assistant',
    `The configuration has no assistant ${shorten(request.assistant_id) ?? '(name withheld)'}, and the backend ${backend.name} keeps none of its own. Add it to \`assistants\`, or give the request a model.`,
  );
}

/** How long a source of secrets may take, as that of a key. Milliseconds. */
const SECRET_MS = 30_000;

async function readSecret(secrets: SecretSource, name: string, backend: Backend): Promise<string | null> {
  const source = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
  if (source === undefined) return null;
  if (typeof source === 'string') return source === '' ? null : source;
  let value: string;
  try {
    value = await untilAborted(Promise.resolve(source()), AbortSignal.timeout(SECRET_MS));
  } catch {
    throw new SecretSourceError(name, backend.name);
  }
  return value === '' ? null : value;
}

interface ResolvedTools {
  readonly tools: readonly JsonObject[] | undefined;
  readonly allowed: ReadonlySet<string> | null;
  readonly issues: readonly Issue[];
}

async function resolveTools(
  request: RunRequest,
  assistant: AssistantConfig | undefined,
  backend: Backend,
  config: LoadedConfig,
): Promise<ResolvedTools> {
  const ofRequest = request.tools ?? undefined;
  const listed = ofRequest ?? assistant?.tools ?? undefined;
  if (listed === undefined) {
    return { tools: undefined, allowed: backend.capabilities.ownAssistants ? null : new Set(), issues: [] };
  }
  const prefix = ofRequest === undefined ? `assistants.${request.assistant_id}.tools` : 'tools';
  const resolved = await Promise.all(
    listed.map((tool, index) => resolveTool(tool, `${prefix}.${index}`, backend, config)),
  );
  const tools = resolved.flatMap(({ tool }) => (tool === null ? [] : [tool]));
  const names = listed.flatMap((tool) => functionName(tool) ?? []);
  const issues = resolved.flatMap(({ issues: ofTool }) => ofTool);
  return { tools, allowed: new Set(names), issues };
}

async function resolveTool(
  listed: string | JsonObject,
  field: string,
  backend: Backend,
  config: LoadedConfig,
): Promise<{ readonly tool: JsonObject | null; readonly issues: readonly Issue[] }> {
  if (typeof listed === 'string') {
    if (config.registry.get(listed) !== undefined) {
      return { tool: config.registry.definition(listed), issues: [] };
    }
    const value = shorten(listed);
    const issue = {
      field,
      message: 'names a tool that this worker has not registered: add it to `tools` of the configuration',
      ...(value === null ? {} : { value }),
    };
    return { tool: null, issues: [issue] };
  }
  const { tool, missing } = await replaceSecrets(listed, (name) => readSecret(config.secrets, name, backend));
  const issues = missing.map((name) => ({
    field,
    message: `refers to the secret ${name}, which \`secrets\` of the configuration does not have`,
  }));
  return { tool, issues };
}

function messagesOf(request: RunRequest): readonly InputMessage[] {
  const { input } = request;
  const first: readonly InputMessage[] =
    typeof input === 'string' ? [{ role: 'user', content: input }] : (input ?? []);
  return [...first, ...(request.additional_messages ?? [])];
}

function instructionsOf(request: RunRequest, overrides: AttemptOverrides): string | null {
  const parts = [request.additional_instructions, overrides.additional_instructions];
  const given = parts.filter((part) => typeof part === 'string' && part !== '');
  return given.length === 0 ? null : given.join('\n\n');
}

/** Leaves out what is undefined or null: not said, so the provider's own default. */
function said<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(entries) as { [K in keyof T]?: NonNullable<T[K]> };
}

/**
 * Applies the configuration's assistant, the registry, the secrets and what changes in this attempt. A field
 * that the request leaves out, or says is null, is the assistant's; `tools: []` means no tools.
 *
 * @throws InvalidRequestError with every mistake: of the request, of names it uses, of what the wire cannot carry
 * @throws RunRefusedError `unknown_backend` or `unknown_assistant`
 */
export async function resolveRun(options: ResolveOptions): Promise<Resolved> {
  const { config, runId, key, overrides } = options;
  const request = options.checked === true ? options.request : parseRunRequest(options.request);
  const wrongId = checkRunId(runId);
  if (wrongId !== null) throw new InvalidRequestError([wrongId]);

  const assistant = config.assistants.get(request.assistant_id);
  const backend = findBackend(request, assistant, config);
  requireAssistant(request, assistant, backend);

  const { tools, allowed, issues } = await resolveTools(request, assistant, backend, config);
  const shared = Object.fromEntries(
    SHARED_FIELDS.map((field) => [field, request[field] ?? assistant?.[field]]),
  ) as Pick<RunRequest, (typeof SHARED_FIELDS)[number]>;
  const ownId = backend.capabilities.ownAssistants ? assistant?.provider_assistant_id : undefined;
  const run: ResolvedRun = {
    run_id: runId,
    key,
    assistant_id: ownId ?? request.assistant_id,
    messages: messagesOf(request),
    metadata: {
      ...request.metadata,
      [METADATA_KEYS.run]: runId,
      [METADATA_KEYS.key]: key,
    },
    ...said({ ...shared, tools }),
    ...said(overrides),
    ...said({ additional_instructions: instructionsOf(request, overrides) }),
  };
  const unpriced = request.limits?.cost !== undefined && config.price === undefined;
  const all = [
    ...issues,
    ...(unpriced
      ? [{ field: 'limits.cost', message: "needs `price` in the worker's configuration, which has none" }]
      : []),
    ...(options.checked === true
      ? []
      : await checkContext(config.registry, allowed ?? [], request.context ?? null)),
    ...backend.check(run),
  ];
  if (all.length > 0) throw new InvalidRequestError(all);
  return { run, backend, allowed };
}
