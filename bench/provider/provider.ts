/** The provider as the bench holds it: models to define, threads to make, its journal to read. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, readSync, closeSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Fault, JournalEntry, WebhookTarget } from '../../src/emulator/index.ts';
import type { Ack, Define } from './child.ts';

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url));

export interface Provider {
  readonly url: string;
  readonly pid: number;
  /** Makes models, and assistants of the same ids. */
  define(models: Define['models']): Promise<void>;
  addFault(fault: Fault): Promise<void>;
  /** Tells this address of responses that have ended. */
  setWebhooks(target: WebhookTarget): Promise<void>;
  newThread(): Promise<string>;
  /** Where the journal stands now, for {@link since}. */
  mark(): number;
  since(mark: number): readonly JournalEntry[];
  stop(): Promise<void>;
}

async function send(method: 'POST' | 'PUT', url: string | URL, body: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'openai-beta': 'assistants=v2' };
  const answer = await fetch(url, { method, headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`The provider answered ${answer.status}: ${await answer.text()}`);
  return answer;
}

function readFrom(file: string, start: number): string {
  const length = statSync(file).size - start;
  const text = Buffer.alloc(length);
  const handle = openSync(file, 'r');
  try {
    readSync(handle, text, 0, length, start);
  } finally {
    closeSync(handle);
  }
  return text.toString('utf8');
}

/** Starts the emulator in a process of its own, which ends with this one. */
export async function startProvider(journalFile: string): Promise<Provider> {
  const child = fork(CHILD, [journalFile], { execArgv: [] });
  const [{ url }] = (await once(child, 'message')) as [{ readonly url: string }];
  const waiting = new Map<number, () => void>();
  child.on('message', ({ seq }: Ack) => {
    waiting.get(seq)?.();
    waiting.delete(seq);
  });
  let lastSeq = 0;
  return {
    url,
    pid: child.pid ?? 0,
    define: async (models) => {
      const seq = (lastSeq += 1);
      const done = new Promise<void>((resolve) => waiting.set(seq, resolve));
      child.send({ seq, models } satisfies Define);
      await done;
    },
    addFault: async (fault) => {
      await send('POST', new URL('/_emulator/faults', url), fault);
    },
    setWebhooks: async (target) => {
      await send('PUT', new URL('/_emulator/webhooks', url), target);
    },
    newThread: async () => {
      const answer = await send('POST', `${url}/threads`, {});
      return ((await answer.json()) as { readonly id: string }).id;
    },
    mark: () => (existsSync(journalFile) ? statSync(journalFile).size : 0),
    since: (mark) =>
      (existsSync(journalFile) ? readFrom(journalFile, mark) : '')
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as JournalEntry),
    stop: async () => {
      const gone = once(child, 'exit');
      child.disconnect();
      await gone;
    },
  };
}
