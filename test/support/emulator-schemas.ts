/** JSON Schemas of the official client's own published types, generated once a test file and checked with Ajv. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import type { ErrorObject } from 'ajv';
import { createGenerator } from 'ts-json-schema-generator';

/** Where each type stands, in the client's `resources`. */
const TYPES = {
  Assistant: 'beta/assistants',
  AssistantDeleted: 'beta/assistants',
  Thread: 'beta/threads/threads',
  ThreadDeleted: 'beta/threads/threads',
  Message: 'beta/threads/messages',
  MessageDeleted: 'beta/threads/messages',
  Run: 'beta/threads/runs/runs',
  RunStep: 'beta/threads/runs/steps',
  Response: 'responses/responses',
  ResponseItem: 'responses/responses',
  ResponseCreateParamsNonStreaming: 'responses/responses',
  RunCreateParamsNonStreaming: 'beta/threads/runs/runs',
  InputTokenCountResponse: 'responses/input-tokens',
  Conversation: 'conversations/conversations',
  ConversationDeletedResource: 'conversations/conversations',
  ConversationItem: 'conversations/items',
  ErrorObject: 'shared',
} as const;
export type ClientType = keyof typeof TYPES;

type Schema = Record<string, unknown>;

/** Types with one name mean different things on the two wires (`FunctionTool`, `Message`): a schema for each part. */
const partOf = (type: ClientType): string => TYPES[type].split('/')[0] ?? '';

function generateSchema(part: string): Schema {
  const openai = dirname(createRequire(import.meta.url).resolve('openai'));
  const folder = mkdtempSync(join(tmpdir(), 'emulator-schemas-'));
  try {
    const path = join(folder, 'types.ts');
    const lines = Object.entries(TYPES)
      .filter(([name]) => partOf(name as ClientType) === part)
      .map(
        ([name, place]) =>
          `export type Client${name} = import('${join(openai, 'resources', place).replaceAll('\\', '/')}').${name};`,
      );
    writeFileSync(path, lines.join('\n'));
    return createGenerator({ path, type: '*', skipTypeCheck: true, expose: 'all' }).createSchema(
      '*',
    ) as Schema;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export interface Checker {
  /** What is wrong with a value of this type; empty where it fits. */
  faultsOf(type: ClientType, value: unknown): readonly string[];
}

/** Faults in words, without those of union branches that are of another `type` altogether. */
export function describeFaults(errors: readonly ErrorObject[] | null | undefined): readonly string[] {
  const all = errors ?? [];
  const others = all
    .filter((error) => ['const', 'enum'].includes(error.keyword) && error.instancePath.endsWith('/type'))
    .map((error) => error.schemaPath.replace(/\/properties\/type\/\w+$/, '/'));
  const kept = all.filter((error) => !others.some((prefix) => error.schemaPath.startsWith(prefix)));
  const shown = kept.length === 0 ? all : kept;
  return shown.map(
    (error) =>
      `${error.instancePath || '/'} ${error.message ?? error.keyword} ${JSON.stringify(error.params)}`,
  );
}

let made: Checker | null = null;

/** Takes some seconds, once. */
export function clientTypes(): Checker {
  if (made !== null) return made;
  const ajv = new Ajv({ strict: false, allErrors: true, logger: false });
  const parts = new Set(Object.keys(TYPES).map((type) => partOf(type as ClientType)));
  for (const part of parts) ajv.addSchema(generateSchema(part), part);
  made = {
    faultsOf: (type, value) => {
      const check = ajv.getSchema(`${partOf(type)}#/definitions/Client${type}`);
      if (check === undefined) throw new Error(`The official client has no type ${type} any more.`);
      return check(value) === true ? [] : describeFaults(check.errors);
    },
  };
  return made;
}

/** Fits no field of these wires: neither an open object nor a list of anything. */
const NONSENSE = [[[]]];

/**
 * Every way of breaking this value that goes unnoticed: a field replaced by nonsense, or one added. Empty where
 * the schema really checks.
 */
export function unnoticed(
  value: Readonly<Record<string, unknown>>,
  faultsOf: (broken: unknown) => readonly string[],
  free: readonly string[] = [],
): readonly string[] {
  const broken = Object.keys(value)
    .filter((key) => !free.includes(key))
    .map((key) => ({ how: `${key} is nonsense`, value: { ...value, [key]: NONSENSE } }));
  const { id: _id, ...headless } = value;
  const all = [...broken, ...('id' in value ? [{ how: 'id is missing', value: headless }] : [])];
  return all.filter((attempt) => faultsOf(attempt.value).length === 0).map((attempt) => attempt.how);
}
