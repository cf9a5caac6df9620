/** Recorded histories as files: one event a line, without what is of the machine that recorded them. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

const folder = new URL('./histories/', import.meta.url);

type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

export interface HistoryEvent {
  readonly eventType: string;
  readonly [attributes: string]: JsonValue;
}

export interface History {
  readonly events: readonly HistoryEvent[];
}

/** What is of a process or a machine, and which no replay reads. */
const REPLACED: Readonly<Record<string, string>> = { identity: 'recorder', stackTrace: '' };

/** A sticky queue is named after its worker's process. */
function isSticky(value: { readonly [key: string]: JsonValue }): boolean {
  return value['kind'] === 'TASK_QUEUE_KIND_STICKY';
}

function withoutMachine(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutMachine);
  if (typeof value !== 'object' || value === null) return value;
  const object = value as { readonly [key: string]: JsonValue };
  const entries = Object.entries(object).map(([key, held]) => [
    key,
    typeof held === 'string' && REPLACED[key] !== undefined ? REPLACED[key] : withoutMachine(held),
  ]);
  return { ...Object.fromEntries(entries), ...(isSticky(object) ? { name: 'sticky' } : {}) } as JsonValue;
}

async function fetchOne(client: Client, id: string, runId: string | undefined): Promise<History> {
  const history = await client.workflow.getHandle(id, runId).fetchHistory();
  return withoutMachine(JSON.parse(historyToJSON(history)) as JsonValue) as unknown as History;
}

const attributes = (event: HistoryEvent | undefined, key: string): { readonly [name: string]: JsonValue } =>
  (event?.[key] ?? {}) as { readonly [name: string]: JsonValue };

/** The history of each execution of a run, the first one first. */
export async function fetchHistories(client: Client, id: string): Promise<readonly History[]> {
  const histories: History[] = [];
  for (let runId: string | undefined; ;) {
    const history = await fetchOne(client, id, runId);
    histories.unshift(history);
    const started = attributes(history.events[0], 'workflowExecutionStartedEventAttributes');
    const before = started['continuedExecutionRunId'];
    if (typeof before !== 'string' || before === '') return histories;
    runId = before;
  }
}

interface PatchMarker {
  readonly markerName?: string;
  readonly details?: { readonly 'patch-data'?: { readonly payloads?: readonly { readonly data: string }[] } };
}

/** The patch that a marker of the SDK names. */
function patchOf(event: HistoryEvent): string | null {
  const { markerName, details } = attributes(event, 'markerRecordedEventAttributes') as PatchMarker;
  const [payload] = details?.['patch-data']?.payloads ?? [];
  if (markerName !== 'core_patch' || payload === undefined) return null;
  const { id } = JSON.parse(Buffer.from(payload.data, 'base64').toString('utf8')) as { readonly id: string };
  return `patch ${id}`;
}

/** The types of its events (`TimerFired`), its activities, local ones aside, and its patches (`patch wake`). */
export function marksOf({ events }: History): ReadonlySet<string> {
  const pascal = (type: string): string =>
    type
      .replace(/^EVENT_TYPE_/, '')
      .toLowerCase()
      .replaceAll(/(?:^|_)([a-z])/g, (_all, letter: string) => letter.toUpperCase());
  return new Set(
    events.flatMap((event) => {
      const { activityType } = attributes(event, 'activityTaskScheduledEventAttributes') as {
        readonly activityType?: { readonly name: string };
      };
      const names = [activityType?.name, patchOf(event)].filter((name) => typeof name === 'string');
      return [pascal(event.eventType), ...names];
    }),
  );
}

/** `plain-answer.assistants`, and from the second execution on `continued-as-new.assistants.2`. */
export const nameOf = (shape: string, wire: string, execution = 1): string =>
  `${shape}.${wire}${execution > 1 ? `.${execution}` : ''}`;

const fileOf = (name: string): string => fileURLToPath(new URL(`${name}.json`, folder));

export const isRecorded = (name: string): boolean => existsSync(fileOf(name));

export function recordedNames(): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();
}

export function writeHistory(name: string, { events }: History): void {
  const lines = events.map((event) => JSON.stringify(event)).join(',\n');
  writeFileSync(fileOf(name), `{"events":[\n${lines}\n]}\n`);
}

/** A history, and the id of its workflow. */
export function readHistory(name: string): { readonly workflowId: string; readonly history: History } {
  const history = JSON.parse(readFileSync(fileOf(name), 'utf8')) as History;
  const started = attributes(history.events[0], 'workflowExecutionStartedEventAttributes');
  const { workflowId } = started;
  return { workflowId: typeof workflowId === 'string' ? workflowId : name, history };
}
