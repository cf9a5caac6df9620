import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { Client, Connection } from '@temporalio/client';
import { RunClient, RunNotFoundError } from '../../src/index.ts';
import type { RunEvent } from '../../src/index.ts';

const connection = await Connection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233' });
const runs = new RunClient({ client: new Client({ connection }) });

/** One watch of a run, for all browsers that look on. */
class Channel {
  readonly #events: RunEvent[] = [];
  readonly #browsers = new Set<ServerResponse>();
  #isOver = false;
  readonly ended: Promise<void>;

  constructor(id: string) {
    this.ended = this.#watch(id);
  }

  async #watch(id: string): Promise<void> {
    while (this.#events.at(-1)?.type !== 'ended') {
      const after = this.#events.at(-1)?.offset;
      try {
        for await (const event of runs.getHandle(id).watch(after === undefined ? {} : { after })) {
          this.#events.push(event);
          for (const browser of this.#browsers) this.#send(browser, event);
        }
      } catch (error) {
        if (error instanceof RunNotFoundError) break;
        console.error('the watch goes on where it was', error);
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
    }
    this.#isOver = true;
    for (const browser of this.#browsers) browser.end();
  }

  #send(browser: ServerResponse, event: RunEvent): void {
    browser.write(`id: ${event.offset}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  }

  /** @param lastId what a browser that comes back has seen last */
  join(browser: ServerResponse, lastId: string | undefined): void {
    const seen = this.#events.findLastIndex(({ offset }) => offset === lastId);
    const missed = this.#events.slice(seen + 1);
    // 204 is what tells an EventSource not to come again.
    browser.writeHead(this.#isOver && missed.length === 0 ? 204 : 200, {
      'content-type': 'text/event-stream',
    });
    for (const event of missed) this.#send(browser, event);
    if (this.#isOver) {
      browser.end();
      return;
    }
    this.#browsers.add(browser);
    browser.on('close', () => this.#browsers.delete(browser));
  }
}

const channels = new Map<string, Channel>();

function channelOf(id: string): Channel {
  const held = channels.get(id) ?? new Channel(id);
  if (!channels.has(id)) void held.ended.finally(() => setTimeout(() => channels.delete(id), 60_000).unref());
  channels.set(id, held);
  return held;
}

const server = createServer((request, response) => {
  const [, id] = /^\/runs\/([\w.~-]+)\/events$/.exec(request.url ?? '') ?? [];
  // Here is where to ask whether this user may see this run.
  if (id === undefined) response.writeHead(404).end();
  else channelOf(id).join(response, request.headers['last-event-id']?.toString());
});
server.listen(Number(process.env['PORT'] ?? '8080'), '127.0.0.1', () => {
  console.log('listening on', JSON.stringify(server.address()));
});
