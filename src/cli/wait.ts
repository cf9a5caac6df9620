/** Waits for a run, shows how it goes, and lets Ctrl-C end the wait but not the run. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunHandle } from '../client.ts';
import type { RunResult } from '../contract.ts';
import type { WaitKind } from '../decisions.ts';
import type { RunEvent } from '../run-events.ts';
import { InterruptedError, namingRun } from './fail.ts';
import { printable } from './output.ts';
import type { Output } from './output.ts';

/** How long the last events may take to be printed once the run has ended. */
const LAST_MS = 2_000;
/** How long nothing may happen until that is said. */
const SILENT_MS = 5_000;

const WAITS: Readonly<Record<WaitKind, string>> = {
  approval: 'waits for approval: drover approve or reject',
  mcp_approval: 'waits for approval: drover approve or reject',
  external: 'waits for its output: drover answer',
  unknown_outcome: 'has an unknown outcome: drover settle',
};

const of = ({ name, tool_call_id: id }: { readonly name: string; readonly tool_call_id: string }): string =>
  `${name} (${id})`;

/** One line for an event; null for one that the end says anyway. */
function describeEvent(event: RunEvent): string | null {
  switch (event.type) {
    case 'started':
    case 'ended':
    case 'people_awaited':
    case 'people_answered':
      return null;
    case 'turn_awaited':
      return 'waits for its turn on the thread';
    case 'turn_given':
      return 'has its turn on the thread';
    case 'attempt_created':
    case 'status_changed':
      return `${event.status.padEnd(15)}  attempt ${event.attempt}  ${event.attempt_id}`;
    case 'tool_started':
      return `calls ${of(event)}`;
    case 'tool_finished':
      return `${of(event)} ${event.outcome}`;
    case 'call_decided':
      return `${event.outcome}${event.by === null ? '' : ` by ${event.by}`}`;
    case 'outputs_submitted':
      return `outputs submitted to ${event.attempt_id}`;
    case 'attempt_ended':
      return `attempt ${event.attempt} ended: ${event.reason}`;
    case 'cancel_requested':
      return 'cancel requested';
    case 'text_delta':
      return `says ${JSON.stringify(event.text)}`;
    case 'reset':
      return 'reset: it goes on from an earlier point';
  }
}

/** What waits on people: an event says only that something does. */
async function describeWaiting(run: RunHandle): Promise<readonly string[]> {
  const calls = await run.waiting().catch(() => []);
  return calls.map((call) => `${of(call)} ${WAITS[call.kind]}`);
}

/** Prints a line on standard error for each event, until the run has ended or the signal fires. */
async function follow(run: RunHandle, output: Output, signal: AbortSignal): Promise<void> {
  const silence = setTimeout(() => {
    output.note(output.noteTone('quiet', 'No worker has answered for the run yet; it waits.'));
  }, SILENT_MS);
  try {
    for await (const event of run.watch({ signal })) {
      if (event.type !== 'started') clearTimeout(silence);
      const line = describeEvent(event);
      const lines =
        event.type === 'people_awaited' ? await describeWaiting(run) : line === null ? [] : [line];
      const time = new Date(event.at_ms).toTimeString().slice(0, 8);
      for (const each of lines) output.note(`${output.noteTone('quiet', time)}  ${printable(each)}`);
    }
  } finally {
    clearTimeout(silence);
  }
}

/** Rejects on Ctrl-C; `stop` gives the signal back. */
function onInterrupt(id: string): { readonly interrupted: Promise<never>; readonly stop: () => void } {
  let listener = (): void => undefined;
  const interrupted = new Promise<never>((_, reject) => {
    listener = () =>
      reject(
        new InterruptedError(
          id,
          `No longer waiting; the run ${id} goes on. \`drover show ${id}\` looks at it, \`drover cancel ${id}\` ends it.`,
        ),
      );
    process.once('SIGINT', listener);
  });
  return { interrupted, stop: () => void process.off('SIGINT', listener) };
}

export interface WaitOptions {
  /** Show each change on standard error. */
  readonly follow: boolean;
}

/**
 * How the run ended, whatever that is.
 *
 * @throws UnreachableError, which names the run, where Temporal is lost meanwhile
 */
export async function waitForRun(run: RunHandle, output: Output, options: WaitOptions): Promise<RunResult> {
  const ended = new AbortController();
  const { interrupted, stop } = onInterrupt(run.id);
  // The wait for its end says what is wrong, where anything is.
  const following = options.follow ? follow(run, output, ended.signal).catch(() => undefined) : null;
  try {
    const result = await Promise.race([run.outcome(), interrupted]);
    await Promise.race([following, sleep(LAST_MS)]);
    return result;
  } catch (error) {
    throw namingRun(error, run.id, `No longer waiting; the run ${run.id} goes on, but Temporal was lost`);
  } finally {
    stop();
    ended.abort();
  }
}
