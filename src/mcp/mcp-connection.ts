/** A connection to an MCP server: made when it is needed, and made again when it broke. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { isAnswer } from './mcp-refusal.ts';
import type { McpCommand, McpUrl } from './mcp-options.ts';

const NAME = 'drover';
/** How long a server may take to answer the first words. */
const CONNECT_MS = 30_000;
const PROBE_MS = 5_000;

function transportOf(server: McpCommand | McpUrl): Transport {
  if ('url' in server) {
    const requestInit = { headers: { ...server.headers } };
    return new StreamableHTTPClientTransport(new URL(server.url), { requestInit });
  }
  const { command, args = [], env = {}, cwd } = server;
  return new StdioClientTransport({
    command,
    args: [...args],
    env: { ...getDefaultEnvironment(), ...env },
    // What it logs may hold what it was asked.
    stderr: 'ignore',
    ...(cwd === undefined ? {} : { cwd }),
  });
}

interface Opened {
  readonly client: Client;
  readonly ready: Promise<Client>;
  /** How many hold it. */
  holders: number;
}

/** A connection that stays open until it is released, or breaks. */
export interface HeldConnection {
  /** Rejects where the server cannot be reached: nothing was asked of it. */
  readonly ready: Promise<Client>;
  release(): void;
}

const close = (client: Client): Promise<void> => client.close().catch(() => undefined);

export class McpConnection {
  readonly #server: McpCommand | McpUrl;
  /** The one that the next call takes. */
  #current: Opened | null = null;
  /** Those that were left, and have calls under way. */
  readonly #left = new Set<Opened>();
  readonly #probes = new WeakMap<Client, Promise<void>>();

  constructor(server: McpCommand | McpUrl) {
    this.#server = server;
  }

  /** Where it stands, without credentials, for messages. */
  get place(): string {
    const server = this.#server;
    return 'url' in server ? new URL(server.url).origin : server.command;
  }

  /** The connection at hand, or a new one. */
  hold(): HeldConnection {
    const opened = (this.#current ??= this.#open());
    opened.holders += 1;
    const release = (): void => {
      opened.holders -= 1;
      if (opened.holders === 0 && this.#left.delete(opened)) void close(opened.client);
    };
    return { ready: opened.ready, release };
  }

  #open(): Opened {
    const client = new Client({ name: NAME, version: '0' });
    return { client, ready: this.#connect(client), holders: 0 };
  }

  async #connect(client: Client): Promise<Client> {
    // The SDK has no other way.
    // oxlint-disable-next-line unicorn/prefer-add-event-listener
    client.onclose = () => this.#forget(client);
    // A stream that broke would else leave its calls waiting until their time is over.
    // oxlint-disable-next-line unicorn/prefer-add-event-listener
    client.onerror = () => void this.check(client);
    try {
      await client.connect(transportOf(this.#server), { timeout: CONNECT_MS });
      return client;
    } catch (error) {
      await close(client);
      this.#forget(client);
      throw error;
    }
  }

  /** One that ends late must not have a newer one forgotten. */
  #forget(client: Client): Opened | null {
    const current = this.#current;
    if (current?.client !== client) return null;
    this.#current = null;
    return current;
  }

  /** The next call makes another connection. The calls that others have on this one may still be answered. */
  leave(client: Client): void {
    const opened = this.#forget(client);
    if (opened === null) return;
    if (opened.holders === 0) void close(client);
    else this.#left.add(opened);
  }

  /** Closes a connection over which nobody answers: the calls on it end then, and the next one makes another. */
  check(client: Client): Promise<void> {
    const held = this.#probes.get(client);
    if (held !== undefined) return held;
    const probe = client
      .ping({ timeout: PROBE_MS })
      .then(
        () => undefined,
        (error: unknown) => (isAnswer(error) ? undefined : client.close()),
      )
      .catch(() => undefined)
      .finally(() => this.#probes.delete(client));
    this.#probes.set(client, probe);
    return probe;
  }

  /** Ends it: a call after that makes another. */
  async close(): Promise<void> {
    const current = this.#current;
    this.#current = null;
    const client = await current?.ready.catch(() => null);
    await Promise.all([...(client ? [client] : []), ...[...this.#left].map((one) => one.client)].map(close));
  }
}
