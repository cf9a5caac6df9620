/** Checks a configuration and freezes it: every mistake is reported, together. */
import { z } from 'zod';
import type { Backend } from './backends/backend.ts';
import { CONFIG_NAME, freeze, readAssistants } from './config-assistants.ts';
import { ConfigError } from './config-error.ts';
import { attempt, configField, firstLine, isObject } from './config-issues.ts';
import type { DroverConfig, LoadedConfig } from './config.ts';
import { NAMES } from './contract.ts';
import type { Issue } from './contract.ts';
import { isHostPort } from './env.ts';
import { shorten, suggest } from './request-issues.ts';
import { limitsSchema, retrySchema, runRequestSchema } from './request-schema.ts';
import type { AnyTool } from './tools/define-tool.ts';
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
  'ceilings',
  'price',
  'secrets',
  'authorizeDecision',
  'dataConverter',
  'worker',
  'metrics',
] as const satisfies readonly (keyof DroverConfig)[];

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
  ceilings: limitsSchema
    .omit({ history_events: true })
    .extend({ attempts: retrySchema.shape.attempts })
    .default({}),
  price: z.custom((held) => typeof held === 'function', 'must be a function of usage and model').optional(),
  secrets: z
    .record(
      z.string().regex(CONFIG_NAME, 'is no name for a secret: use a-z, A-Z, 0-9, _ . : and -'),
      z.union([z.string().min(1), z.custom<() => string>((held) => typeof held === 'function')], {
        error: 'must be text, or a function that gives it',
      }),
    )
    .default({}),
  authorizeDecision: z
    .custom(
      (held) => typeof held === 'function',
      'must be a function of a decision, its call and the context',
    )
    .optional(),
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

function checkFields(config: Record<string, unknown>): readonly Issue[] {
  return Object.keys(config)
    .filter((field) => !(FIELDS as readonly string[]).includes(field))
    .map((field) => {
      const meant = suggest(field, FIELDS);
      return {
        field: configField(field),
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
    const field = configField('backends', name);
    if (!CONFIG_NAME.test(name)) {
      issues.push({ field, message: 'is no name for a backend: use a-z, A-Z, 0-9, _ . : and -' });
      continue;
    }
    if (typeof factory !== 'function') {
      issues.push({ field, message: 'must be what responses({…}) or assistants({…}) returns' });
      continue;
    }
    attempt(issues, { field, what: 'could not be built' }, null, () => {
      const backend: unknown = factory(name);
      if (hasFunctions(backend, 'create', 'observe', 'submit', 'cancel'))
        backends.set(name, backend as Backend);
      else issues.push({ field, message: 'did not build a backend: use responses({…}) or assistants({…})' });
    });
  }
  return backends;
}

/** Those that can be told: a backend that cannot be built has a name all the same. */
const backendNames = (config: Record<string, unknown>): readonly string[] =>
  isObject(config['backends'])
    ? Object.keys(config['backends']).filter((name) => CONFIG_NAME.test(name))
    : [];

function chooseDefault(config: Record<string, unknown>, issues: Issue[]): string {
  const names = backendNames(config);
  const chosen = config['defaultBackend'];
  if (chosen === undefined) {
    if (names.length > 1) {
      issues.push({ field: 'defaultBackend', message: `is needed: choose one of ${names.join(', ')}` });
    }
    return names[0] ?? '';
  }
  if (typeof chosen === 'string' && names.includes(chosen)) return chosen;
  const shown = typeof chosen === 'string' ? shorten(chosen) : null;
  issues.push({
    field: 'defaultBackend',
    message: `must name one of the backends: ${names.join(', ') || 'there are none'}`,
    ...(shown === null ? {} : { value: shown }),
  });
  return '';
}

function buildRegistry(value: unknown, issues: Issue[]): ToolRegistry {
  const none = createRegistry([]);
  if (value === undefined) return none;
  if (Array.isArray(value)) {
    const where = { field: 'tools', what: 'could not be registered' };
    return attempt(issues, where, none, () => createRegistry(value as readonly AnyTool[]));
  }
  issues.push({ field: 'tools', message: 'must be a list of what defineTool({…}) returns' });
  return none;
}

/** A limit of cost without a price would stop every run. */
function unpricedLimits({ limits, ceilings, price }: DroverConfig): readonly Issue[] {
  if (price !== undefined) return [];
  return Object.entries({ limits, ceilings }).flatMap(([field, held]) =>
    isObject(held) && held['cost'] !== undefined
      ? [{ field: `${field}.cost`, message: 'needs `price`, a function that tells what tokens cost' }]
      : [],
  );
}

/** Null where something is wrong, which `issues` names then. */
function checkConfig(config: DroverConfig, issues: Issue[]): LoadedConfig | null {
  if (!isObject(config)) {
    issues.push({ field: 'config', message: 'must be an object: use defineConfig({…})' });
    return null;
  }
  issues.push(...checkFields(config));
  const unread = { field: 'config', what: 'could not be read' };
  const parsed = attempt(issues, unread, null, () => settings.safeParse(config));
  for (const issue of parsed?.error?.issues ?? []) {
    issues.push({ field: configField(...issue.path), message: firstLine(issue.message) });
  }
  const backends = buildBackends(config.backends, issues);
  const defaultBackend = chooseDefault(config, issues);
  const before = issues.length;
  const registry = buildRegistry(config.tools, issues);
  const around = {
    backends: backendNames(config),
    tools: issues.length === before ? registry.names() : null,
  };
  const assistants = readAssistants(config.assistants, around, issues);
  issues.push(...unpricedLimits(config));
  if (issues.length > 0 || parsed?.data === undefined) return null;
  const { taskQueue, limits, retry, ceilings, secrets, worker, metrics } = parsed.data;
  return Object.freeze({
    taskQueue,
    backends,
    defaultBackend,
    assistants,
    registry,
    limits: freeze(limits) as LoadedConfig['limits'],
    retry: freeze(retry) as LoadedConfig['retry'],
    ceilings: freeze(ceilings) as LoadedConfig['ceilings'],
    price: config.price,
    secrets: Object.freeze({ ...secrets }),
    authorizeDecision: config.authorizeDecision,
    dataConverter: config.dataConverter,
    worker: Object.freeze({ ...worker }),
    metrics: Object.freeze({ ...metrics }) as LoadedConfig['metrics'],
  });
}

/**
 * Checks a configuration against everything that can be known without asking anyone.
 *
 * @returns the configuration with its defaults filled in, frozen
 * @throws {ConfigError} with every mistake at once
 */
export function loadConfig(config: DroverConfig): LoadedConfig {
  const issues: Issue[] = [];
  const where = { field: 'config', what: 'could not be read' };
  const loaded = attempt(issues, where, null, () => checkConfig(config, issues));
  if (loaded === null) throw new ConfigError(issues);
  return loaded;
}
