/** Sends a tool's heartbeats, so that its handler need not. */
import type { Context } from '@temporalio/activity';
import type { Json } from '../run.ts';
import { isStartedMark } from '../steps.ts';
import { startedMark } from './fence.ts';

/** Details are a note about progress, no store. Bytes of JSON. */
export const MAX_DETAIL_BYTES = 16 * 1024;

export interface Heartbeat {
  /** What the handler calls; details that JSON cannot say or that are too large are left out. */
  readonly beat: (details?: Json) => void;
  /** What the try before this one said last. */
  readonly previous: unknown;
  readonly stop: () => void;
}

export interface HeartbeatOptions {
  /** The key of a `once` tool: each beat carries its started mark. */
  readonly onceKey: string | null;
  readonly mask: (text: string) => string;
}

/** The details as they may go out; undefined where they may not. */
function cleanDetails(details: unknown, mask: (text: string) => string): unknown {
  try {
    // Unlike its declared type, it gives undefined for undefined or a function.
    const json = JSON.stringify(details) as string | undefined;
    if (json === undefined || Buffer.byteLength(json) > MAX_DETAIL_BYTES) return undefined;
    return JSON.parse(mask(json));
  } catch {
    return undefined;
  }
}

/** Beats each half of the timeout until it is stopped. Without a timeout it only passes details on. */
export function startHeartbeat(context: Context, { onceKey, mask }: HeartbeatOptions): Heartbeat {
  const { heartbeatDetails, heartbeatTimeoutMs } = context.info;
  const previous: unknown = isStartedMark(heartbeatDetails) ? heartbeatDetails.details : heartbeatDetails;
  let last: unknown = previous ?? undefined;
  const send = (): void => {
    context.heartbeat(onceKey === null ? last : startedMark(onceKey, last));
  };
  const beat = (details?: Json): void => {
    last = cleanDetails(details, mask) ?? last;
    send();
  };
  if (heartbeatTimeoutMs === undefined || heartbeatTimeoutMs <= 0) {
    return { beat, previous: last, stop: () => undefined };
  }
  const timer = setInterval(send, Math.max(heartbeatTimeoutMs / 2, 1));
  return { beat, previous: last, stop: () => clearInterval(timer) };
}
