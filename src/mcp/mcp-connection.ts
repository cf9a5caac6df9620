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

export class McpConnection {
  readonly #server: McpCommand | McpUrl;
  #open: Promise<Client> | null = null;
  readonly #probes = new WeakMap<Client, Promise<void>>();

  constructor(server: McpCommand | McpUrl) {
    this.#server = server;
  }

  /** Where it stands, without credentials, for messages. */
  get place(): string {
    const server = this.#server;
    return 'url' in server ? new URL(server.url).origin : server.command;
  }

  /** @throws where the server cannot be reached: nothing was asked of it */
  client(): Promise<Client> {
    if (this.#open !== null) return this.#open;
    const client = new Client({ name: NAME, version: '0' });
    // One that ends late must not have a newer one forgotten.
    const forget = (): void => {
      if (this.#open === opened) this.#open = null;
    };
    let opened: Promise<Client> | null = null;
    opened = this.#connect(client, forget);
    this.#open = opened;
    return opened;
  }

  async #connect(client: Client, forget: () => void): Promise<Client> {
    // The SDK has no other way.
    // oxlint-disable-next-line unicorn/prefer-add-event-listener
    client.onclose = forget;
    // A stream that broke would else leave its calls waiting until their time is over.
    // oxlint-disable-next-line unicorn/prefer-add-event-listener
    client.onerror = () => void this.check(client);
    try {
      await client.connect(transportOf(this.#server), { timeout: CONNECT_MS });
      return client;
    } catch (error) {
      // The promise that is forgotten is at hand only once this function has given it.
      await client.close().catch(() => undefined);
      forget();
      throw error;
    }
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
    const open = this.#open;
    this.#open = null;
    const client = await open?.catch(() => null);
    await client?.close().catch(() => undefined);
  }
}
