/** Waits for a run, shows how it goes, and lets Ctrl-C end the wait but not the run. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunHandle } from '../client.ts';
import type { RunProgress, RunResult } from '../contract.ts';
import type { WaitKind } from '../decisions.ts';
import { InterruptedError } from './fail.ts';
import { printable } from './output.ts';
import type { Output } from './output.ts';

const LOOK_MS = 500;

const WAITS: Readonly<Record<WaitKind, string>> = {
  approval: 'waits for approval: drover approve or reject',
  mcp_approval: 'waits for approval: drover approve or reject',
  external: 'waits for its output: drover answer',
  unknown_outcome: 'has an unknown outcome: drover settle',
};

/** One line for a state of the run, without prompt, arguments or outputs. */
function describeProgress(progress: RunProgress): string {
  const { status, attempt, attempt_id: attemptId, pending_calls: calls, waiting_calls: waiting } = progress;
  const names = calls.map(({ name }) => name).join(', ');
  return [
    status.padEnd(15),
    attempt > 0 ? `attempt ${attempt}` : '',
    attemptId ?? '',
    names === '' ? '' : `calls ${names}`,
    ...waiting.map(({ name, kind, tool_call_id: id }) => `${name} (${id}) ${WAITS[kind]}`),
  ]
    .filter((part) => part !== '')
    .join('  ')
    .trimEnd();
}

/** Prints a line on standard error at each change, until `ended`. */
async function follow(run: RunHandle, output: Output, ended: AbortSignal): Promise<void> {
  let last = '';
  let silent = false;
  while (!ended.aborted) {
    const line = await run.progress().then(describeProgress, () => null);
    if (ended.aborted) return;
    if (line === null && !silent) {
      output.note(output.noteTone('quiet', 'No worker has answered for the run yet; it waits.'));
    }
    silent = line === null;
    if (line !== null && line !== last) {
      const time = new Date().toTimeString().slice(0, 8);
      output.note(`${output.noteTone('quiet', time)}  ${printable(line)}`);
      last = line;
    }
    await sleep(LOOK_MS, undefined, { signal: ended }).catch(() => undefined);
  }
}

/** Rejects on Ctrl-C; `stop` gives the signal back. */
function onInterrupt(id: string): { readonly interrupted: Promise<never>; readonly stop: () => void } {
  let listener = (): void => undefined;
  const interrupted = new Promise<never>((_, reject) => {
    listener = () =>
      reject(
        new InterruptedError(
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

/** How the run ended, whatever that is. */
export async function waitForRun(run: RunHandle, output: Output, options: WaitOptions): Promise<RunResult> {
  const ended = new AbortController();
  const { interrupted, stop } = onInterrupt(run.id);
  const following = options.follow ? follow(run, output, ended.signal) : Promise.resolve();
  try {
    return await Promise.race([run.outcome(), interrupted]);
  } finally {
    stop();
    ended.abort();
    // A look that is under way may wait long for a worker: nobody needs its answer any more.
    await Promise.race([following, sleep(LOOK_MS)]);
  }
}
