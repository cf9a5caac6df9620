/** The assistants of a configuration: each is a request that others complete, so the same rules hold for it. */
import { attempt, configField, isObject } from './config-issues.ts';
import type { AssistantConfig } from './config.ts';
import type { Issue } from './contract.ts';
import { shorten, suggest } from './request-issues.ts';
import { checkRunRequest } from './request.ts';

/** Names of backends, assistants and secrets: they stand in ids, search attributes and messages. */
export const CONFIG_NAME = /^[\w][\w.:-]{0,127}$/;

export interface AssistantSurroundings {
  readonly backends: readonly string[];
  /** Null where the tools could not be read: then none is missed. */
  readonly tools: readonly string[] | null;
}

function checkAssistant(name: string, value: unknown, around: AssistantSurroundings): readonly Issue[] {
  const field = configField('assistants', name);
  if (!CONFIG_NAME.test(name)) {
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
      field: issue.field === '' ? field : `${field}.${issue.field}`,
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
    const shown = shorten(tool);
    issues.push({
      field: `${field}.tools[${index}]`,
      message: `names no tool of this configuration${meant === null ? '' : `; did you mean ${meant}?`}`,
      ...(shown === null ? {} : { value: shown }),
    });
  }
  return issues;
}

/** The assistants by name, frozen; what is wrong with them is added to `issues`. */
export function readAssistants(
  value: unknown,
  around: AssistantSurroundings,
  issues: Issue[],
): ReadonlyMap<string, AssistantConfig> {
  if (value === undefined) return new Map();
  if (!isObject(value)) {
    issues.push({ field: 'assistants', message: 'must be an object of assistants by name' });
    return new Map();
  }
  const read = (name: string): readonly [string, AssistantConfig][] => {
    const field = configField('assistants', name);
    const held = value[name];
    const mistakes = attempt(issues, { field, what: 'could not be read' }, null, () =>
      checkAssistant(name, held, around),
    );
    issues.push(...(mistakes ?? []));
    // What is wrong may go round in circles.
    return mistakes?.length === 0 ? [[name, freeze(held) as AssistantConfig]] : [];
  };
  return new Map(Object.keys(value).flatMap(read));
}

/** Freezes plain data all the way down, in a copy; what has a class of its own is left as it is. */
export function freeze(value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map((one) => freeze(one)));
  if (!isObject(value) || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.freeze(Object.fromEntries(Object.entries(value).map(([key, held]) => [key, freeze(held)])));
}
