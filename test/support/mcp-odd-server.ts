/**
 * An MCP server whose tools act and then break, each in a way of its own, and which knows no ping. Its argument is the
 * file that it writes to.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import {
  CallToolRequestSchema,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
  PingRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';

const [, , file = ''] = process.argv;
const act = (what: string): void => appendFileSync(file, `${what}\n`);
const inputSchema = { type: 'object', properties: { ms: { type: 'number' } } } as const;
const outputSchema = { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] } as const;

const server = new Server({ name: 'odd', version: '0' }, { capabilities: { tools: {} } });
server.setRequestHandler(ListToolsRequestSchema, () => ({
  tools: [
    { name: 'otherwise', description: 'Answers otherwise than it said.', inputSchema, outputSchema },
    { name: 'refuses', description: 'Acts, and then says that its parameters were wrong.', inputSchema },
    { name: 'waits', description: 'Takes its time.', inputSchema },
    { name: 'mutters', description: 'Says what is no message, and then answers.', inputSchema },
    { name: 'outlasts', description: 'Answers a while after it was asked whether it is there.', inputSchema },
  ],
}));
const pinged = Promise.withResolvers<void>();
server.setRequestHandler(PingRequestSchema, () => {
  pinged.resolve();
  throw new McpError(ErrorCode.MethodNotFound, 'Method not found');
});
server.setRequestHandler(
  CallToolRequestSchema,
  async ({ params: { name, arguments: given } }, { signal }) => {
    act(name);
    if (name === 'refuses') throw new McpError(ErrorCode.InvalidParams, 'The result is not as declared.');
    if (name === 'waits') await sleep(Number(given?.['ms'] ?? 0), undefined, { signal });
    if (name === 'mutters') process.stdout.write('Debug: this is no message.\n');
    // A server whose streams are closed is given two seconds.
    if (name === 'outlasts') await pinged.promise.then(() => sleep(3_000));
    return {
      content: [{ type: 'text', text: 'done' }],
      ...(name === 'otherwise' ? { structuredContent: { ok: 'yes' } } : {}),
    };
  },
);
await server.connect(new StdioServerTransport());
