/** Histories as the server keeps them: no data converter is asked, nothing is decrypted. */
import type { Client } from '@temporalio/client';

type Page = Awaited<ReturnType<Client['workflowService']['getWorkflowExecutionHistory']>>;
export type RawEvent = NonNullable<NonNullable<Page['history']>['events']>[number];

/** A client takes no message of more than 4 MB, and an event may have 2. */
const PAGE = 5;

/** Every event of a run's latest execution. */
export async function rawEvents(client: Client, id: string): Promise<readonly RawEvent[]> {
  const { namespace } = client.options;
  const execution = { workflowId: id };
  const events: RawEvent[] = [];
  for (let token: Uint8Array | undefined = new Uint8Array(); token !== undefined;) {
    const asked = { namespace, execution, maximumPageSize: PAGE, nextPageToken: token };
    const page: Page = await client.workflowService.getWorkflowExecutionHistory(asked);
    events.push(...(page.history?.events ?? []));
    token = page.nextPageToken && page.nextPageToken.length > 0 ? page.nextPageToken : undefined;
  }
  return events;
}

/** What an event is, such as `activityTaskScheduled`. */
export function kindOf(event: RawEvent): string {
  const field = Object.keys(event).find((key) => key.endsWith('EventAttributes'));
  return field?.replace('EventAttributes', '') ?? '?';
}

/** All that stands in a message of the server as text: strings, bytes as UTF-8, and the bytes of payloads. */
export function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('utf8')];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, held]) => [key, ...textsIn(held)]);
}

/** Payloads that the UI shows and lists find: they are as open as an id. */
const SHOWN = ['userMetadata', 'searchAttributes', 'memo'];

/** What stands outside of payloads, and inside of those that are shown. */
export function openTexts(value: unknown, isShown = false): readonly string[] {
  if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return textsIn(value);
  const isPayload = 'data' in value && 'metadata' in value;
  return Object.entries(value).flatMap(([key, held]) =>
    isPayload && !isShown && key === 'data' ? [] : [key, ...openTexts(held, isShown || SHOWN.includes(key))],
  );
}

/** How often `text` stands in it. */
export function countIn(value: unknown, text: string): number {
  return textsIn(value).reduce((count, held) => count + held.split(text).length - 1, 0);
}

/** What the completed activities of this type gave, in the order in which they were completed. For plain JSON only. */
export function activityResults(events: readonly RawEvent[], type: string): readonly unknown[] {
  const scheduled = new Map(
    events.map((event) => [
      String(event.eventId),
      event.activityTaskScheduledEventAttributes?.activityType?.name,
    ]),
  );
  return events.flatMap(({ activityTaskCompletedEventAttributes: completed }) => {
    if (!completed || scheduled.get(String(completed.scheduledEventId)) !== type) return [];
    const [payload] = completed.result?.payloads ?? [];
    return [JSON.parse(Buffer.from(payload?.data ?? '').toString('utf8')) as unknown];
  });
}
