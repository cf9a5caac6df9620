/** Checks a configuration and freezes it: every mistake is reported, together. */
import { z } from 'zod';
import type { Backend } from './backends/backend.ts';
import { ConfigError } from './config-error.ts';
import type { AssistantConfig, DroverConfig, LoadedConfig } from './config.ts';
import { NAMES } from './contract.ts';
import type { Issue } from './contract.ts';
import { isHostPort } from './env.ts';
import { suggest } from './request-issues.ts';
import { runRequestSchema } from './request-schema.ts';
import { checkRunRequest } from './request.ts';
import { createRegistry } from './tools/registry.ts';
import type { ToolRegistry } from './tools/registry.ts';

const FIELDS = [
  'taskQueue',
  'backends',
  'defaultBackend',
  'assistants',
  'tools',
  'limits',
  'retry',
  'secrets',
  'dataConverter',
  'worker',
  'metrics',
] as const satisfies readonly (keyof DroverConfig)[];

/** Names of backends, assistants and secrets: they stand in ids, search attributes and messages. */
const NAME = /^[\w][\w.:-]{0,127}$/;
const TASK_QUEUE = /^(?!__temporal_)[^\p{Cc}]{1,1000}$/u;

/** Fields of `worker` that are Drover's to set, and what to set instead. */
const WORKER_TAKEN: Readonly<Record<string, string>> = {
  taskQueue: 'set `taskQueue` of the configuration',
  workflowsPath: 'for workflows of your own build your own worker with `droverPlugin`',
  workflowBundle: 'for workflows of your own build your own worker with `droverPlugin`',
  connection: 'connections come from TEMPORAL_ADDRESS and its like, or from a profile',
  namespace: 'set TEMPORAL_NAMESPACE, or the namespace of the profile',
  dataConverter: 'set `dataConverter` of the configuration: worker, client, CLI and replay share it',
};

const settings = z.object({
  taskQueue: z
    .string()
    .regex(
      TASK_QUEUE,
      'must have 1 to 1000 characters, no control characters, and not start with __temporal_',
    )
    .default(NAMES.taskQueue),
  limits: runRequestSchema.shape.limits.default({}),
  retry: runRequestSchema.shape.retry.default({}),
  secrets: z
    .record(
      z.string().regex(NAME, 'is no name for a secret: use a-z, A-Z, 0-9, _ . : and -'),
      z.union([z.string().min(1), z.custom<() => string>((held) => typeof held === 'function')], {
        error: 'must be text, or a function that gives it',
      }),
    )
    .default({}),
  dataConverter: z
    .strictObject({
      payloadConverterPath: z.string().optional(),
      failureConverterPath: z.string().optional(),
      payloadCodecs: z
        .array(z.custom((codec) => hasFunctions(codec, 'encode', 'decode'), 'needs encode and decode'))
        .optional(),
      externalStorage: z.unknown().optional(),
    })
    .optional(),
  worker: z
    .looseObject({})
    .superRefine((worker, context) => {
      for (const [field, instead] of Object.entries(WORKER_TAKEN)) {
        if (worker[field] === undefined) continue;
        context.addIssue({ code: 'custom', path: [field], message: `is not for here: ${instead}` });
      }
    })
    .default({}),
  metrics: z
    .strictObject({
      prometheus: z.string().refine(isHostPort, 'must be host:port, as in 0.0.0.0:9464').optional(),
    })
    .default({}),
});

function hasFunctions(value: unknown, ...names: readonly string[]): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What a thrown value says, on one line, and the issues that it carries where it carries any. */
function issuesOf(error: unknown, field: string, what: string): readonly Issue[] {
  const held = (error as { readonly issues?: unknown } | null)?.issues;
  if (Array.isArray(held) && held.every((one) => isObject(one) && typeof one['field'] === 'string')) {
    return (held as Issue[]).map((one) => ({ ...one, field: joinField(field, one.field) }));
  }
  const reason = (error instanceof Error ? error.message : String(error)).split('\n', 1)[0];
  return [{ field, message: `${what}: ${reason}` }];
}

const joinField = (left: string, right: string): string =>
  right === '' || right === left || right.startsWith(`${left}.`) || right.startsWith(`${left}[`)
    ? right || left
    : `${left}.${right}`;

function checkFields(config: Record<string, unknown>): readonly Issue[] {
  return Object.keys(config)
    .filter((field) => !(FIELDS as readonly string[]).includes(field))
    .map((field) => {
      const meant = suggest(field, FIELDS);
      return {
        field,
        message: `is no field of a configuration${meant === null ? '' : `; did you mean ${meant}?`}`,
      };
    });
}

function buildBackends(value: unknown, issues: Issue[]): ReadonlyMap<string, Backend> {
  const backends = new Map<string, Backend>();
  if (!isObject(value) || Object.keys(value).length === 0) {
    issues.push({
      field: 'backends',
      message: 'needs at least one backend, as in `backends: { openai: responses({ apiKey }) }`',
    });
    return backends;
  }
  for (const [name, factory] of Object.entries(value)) {
    const field = `backends.${name}`;
    if (!NAME.test(name)) {
      issues.push({ field, message: 'is no name for a backend: use a-z, A-Z, 0-9, _ . : and -' });
      continue;
    }
    if (typeof factory !== 'function') {
      issues.push({ field, message: 'must be what responses({…}) or assistants({…}) returns' });
      continue;
    }
    try {
      const backend: unknown = factory(name);
      if (hasFunctions(backend, 'create', 'observe', 'submit', 'cancel'))
        backends.set(name, backend as Backend);
      else issues.push({ field, message: 'did not build a backend: use responses({…}) or assistants({…})' });
    } catch (error) {
      issues.push(...issuesOf(error, field, 'could not be built'));
    }
  }
  return backends;
}

function chooseDefault(config: Record<string, unknown>, issues: Issue[]): string {
  const names = isObject(config['backends']) ? Object.keys(config['backends']) : [];
  const chosen = config['defaultBackend'];
  if (chosen === undefined) {
    if (names.length > 1) {
      issues.push({ field: 'defaultBackend', message: `is needed: choose one of ${names.join(', ')}` });
    }
    return names[0] ?? '';
  }
  if (typeof chosen === 'string' && names.includes(chosen)) return chosen;
  issues.push({
    field: 'defaultBackend',
    message: `must name one of the backends: ${names.join(', ') || 'there are none'}`,
    ...(typeof chosen === 'string' ? { value: chosen.slice(0, 60) } : {}),
  });
  return '';
}

function buildRegistry(value: unknown, issues: Issue[]): ToolRegistry {
  try {
    if (value === undefined || Array.isArray(value)) return createRegistry(value ?? []);
    issues.push({ field: 'tools', message: 'must be a list of what defineTool({…}) returns' });
  } catch (error) {
    issues.push(...issuesOf(error, 'tools', 'could not be registered'));
  }
  return createRegistry([]);
}

interface AssistantSurroundings {
  readonly backends: readonly string[];
  /** Null where the tools could not be read: then none is missed. */
  readonly tools: readonly string[] | null;
}

/** An assistant is a request that others complete, so the same rules hold for it. */
function checkAssistant(name: string, value: unknown, around: AssistantSurroundings): readonly Issue[] {
  const field = `assistants.${name}`;
  if (!NAME.test(name)) {
    return [{ field, message: 'is no name for an assistant: use a-z, A-Z, 0-9, _ . : and -' }];
  }
  if (!isObject(value)) return [{ field, message: 'must be an object' }];
  const { provider_assistant_id: provider, ...request } = value;
  const issues: Issue[] = [];
  for (const own of ['assistant_id', 'input', 'thread_id', 'context']) {
    if (request[own] === undefined) continue;
    issues.push({ field: `${field}.${own}`, message: 'belongs into the request of a run' });
    delete request[own];
  }
  if (provider !== undefined && (typeof provider !== 'string' || provider === '')) {
    issues.push({ field: `${field}.provider_assistant_id`, message: 'must be text and not empty' });
  }
  const checked = checkRunRequest({ ...request, assistant_id: name, input: '-' });
  for (const issue of checked.issues ?? []) {
    issues.push({
      ...issue,
      field: `${field}.${issue.field}`,
      message: issue.message.replace('is no field of a request', 'is no field of an assistant'),
    });
  }
  const { backend, tools } = request;
  if (typeof backend === 'string' && !around.backends.includes(backend)) {
    issues.push({ field: `${field}.backend`, message: `must name one of: ${around.backends.join(', ')}` });
  }
  const named: readonly unknown[] = Array.isArray(tools) ? tools : [];
  for (const [index, tool] of named.entries()) {
    if (typeof tool !== 'string' || around.tools === null || around.tools.includes(tool)) continue;
    const meant = suggest(tool, around.tools);
    issues.push({
      field: `${field}.tools[${index}]`,
      message: `names no tool of this configuration${meant === null ? '' : `; did you mean ${meant}?`}`,
      value: tool.slice(0, 64),
    });
  }
  return issues;
}

function readAssistants(
  value: unknown,
  around: AssistantSurroundings,
  issues: Issue[],
): ReadonlyMap<string, AssistantConfig> {
  if (value === undefined) return new Map();
  if (!isObject(value)) {
    issues.push({ field: 'assistants', message: 'must be an object of assistants by name' });
    return new Map();
  }
  issues.push(...Object.entries(value).flatMap(([name, held]) => checkAssistant(name, held, around)));
  return new Map(Object.entries(value).map(([name, held]) => [name, freeze(held) as AssistantConfig]));
}

/** Freezes plain data all the way down, in a copy; what has a class of its own is left as it is. */
function freeze(value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map((one) => freeze(one)));
  if (!isObject(value) || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.freeze(Object.fromEntries(Object.entries(value).map(([key, held]) => [key, freeze(held)])));
}

/**
 * Checks a configuration against everything that can be known without asking anyone.
 *
 * @returns the configuration with its defaults filled in, frozen
 * @throws {ConfigError} with every mistake at once
 */
export function loadConfig(config: DroverConfig): LoadedConfig {
  if (!isObject(config)) {
    throw new ConfigError([{ field: 'config', message: 'must be an object: use defineConfig({…})' }]);
  }
  const issues: Issue[] = [...checkFields(config)];
  const parsed = settings.safeParse(config);
  for (const issue of parsed.error?.issues ?? []) {
    issues.push({ field: issue.path.map(String).join('.'), message: issue.message });
  }
  const backends = buildBackends(config.backends, issues);
  const defaultBackend = chooseDefault(config, issues);
  const before = issues.length;
  const registry = buildRegistry(config.tools, issues);
  const around = {
    backends: isObject(config.backends) ? Object.keys(config.backends) : [],
    tools: issues.length === before ? registry.names() : null,
  };
  const assistants = readAssistants(config.assistants, around, issues);
  if (issues.length > 0 || parsed.data === undefined) throw new ConfigError(issues);
  const { taskQueue, limits, retry, secrets, worker, metrics } = parsed.data;
  return Object.freeze({
    taskQueue,
    backends,
    defaultBackend,
    assistants,
    registry,
    limits: freeze(limits) as LoadedConfig['limits'],
    retry: freeze(retry) as LoadedConfig['retry'],
    secrets: Object.freeze({ ...secrets }),
    dataConverter: config.dataConverter,
    worker: Object.freeze({ ...worker }),
    metrics: Object.freeze({ ...metrics }) as LoadedConfig['metrics'],
  });
}
