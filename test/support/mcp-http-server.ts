/** An MCP server by streamable HTTP within the test, which forgets its sessions and refuses calls where it is told to. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import {
  CallToolRequestSchema,
  ListToolsRequestSchema,
  type ListToolsResult,
} from '@modelcontextprotocol/sdk/types.js';

export interface McpHttpServer {
  readonly url: string;
  /** The names of the calls that were run. */
  readonly acts: readonly string[];
  /** How many sessions were opened. */
  readonly sessions: () => number;
  /** Every session is unknown from here on. */
  readonly forget: () => void;
  /** Answers the calls of a tool by this status and runs nothing; null to run them. */
  readonly refuse: (tool: string, status: number | null) => void;
  /** Calls of `waits` end. */
  readonly go: () => void;
  readonly close: () => Promise<void>;
}

const inputSchema = { type: 'object' } as const;
const TOOLS: ListToolsResult['tools'] = [
  { name: 'act', description: 'Acts.', inputSchema },
  { name: 'waits', description: 'Acts, and answers when it is told to.', inputSchema },
];

/** @param pages what `tools/list` answers for a cursor */
export async function startMcpHttpServer(
  pages: (cursor: string | undefined) => ListToolsResult = () => ({ tools: TOOLS }),
): Promise<McpHttpServer> {
  const transports = new Map<string, StreamableHTTPServerTransport>();
  const acts: string[] = [];
  const refusals = new Map<string, number>();
  const gate = Promise.withResolvers<void>();
  let opened = 0;

  async function openSession(): Promise<StreamableHTTPServerTransport> {
    const server = new Server({ name: 'http', version: '0' }, { capabilities: { tools: {} } });
    server.setRequestHandler(ListToolsRequestSchema, ({ params }) => pages(params?.cursor));
    server.setRequestHandler(CallToolRequestSchema, async ({ params: { name } }) => {
      acts.push(name);
      if (name === 'waits') await gate.promise;
      return { content: [{ type: 'text', text: 'done' }] };
    });
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        opened += 1;
        transports.set(id, transport);
      },
    });
    await server.connect(transport);
    return transport;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = request.method === 'POST' ? ((await json(request)) as Record<string, unknown>) : undefined;
    const { name = '' } = (body?.['params'] ?? {}) as { readonly name?: string };
    const status = body?.['method'] === 'tools/call' ? refusals.get(name) : undefined;
    const session = request.headers['mcp-session-id'];
    const transport = session === undefined ? await openSession() : transports.get(String(session));
    if (status !== undefined || transport === undefined) {
      response.writeHead(status ?? 404).end();
      return;
    }
    await transport.handleRequest(request, response, body);
  }

  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    acts,
    sessions: () => opened,
    forget: () => transports.clear(),
    refuse: (tool, status) => {
      if (status === null) refusals.delete(tool);
      else refusals.set(tool, status);
    },
    go: gate.resolve,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
