/** Brings the tools of an MCP server in as registered tools. */
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema, ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { msToNumber } from '@temporalio/common/lib/time.js';
import { defineTool, DOCUMENT } from '../tools/define-tool.ts';
import type { Tool, ToolContext } from '../tools/define-tool.ts';
import { ToolError } from '../tools/tool-error.ts';
import { TOOL_DEFAULTS } from '../tools/tool-defaults.ts';
import { McpConnection } from './mcp-connection.ts';
import { approvalOf, effectOf, fits, type McpToolsOptions } from './mcp-options.ts';
import { outputOf, type McpAnswer } from './mcp-output.ts';
import { isAnswer } from './mcp-refusal.ts';

/** The tools, and the connection behind them. */
export interface McpTools extends ReadonlyArray<Tool> {
  /** Ends the connection, and the process where one was started. A call after that makes another. */
  close(): Promise<void>;
}

/** A server that refuses a call by this code has run nothing. */
const UNKNOWN_METHOD: ReadonlySet<number> = new Set([ErrorCode.MethodNotFound]);
/** Some also say so of what a tool has given, when it has acted: no word that something was not done. */
const REFUSED: ReadonlySet<number> = new Set([...UNKNOWN_METHOD, ErrorCode.InvalidParams]);
/** A server answers so where it does not know the session: it has read no further. */
const NO_SESSION = 404;
/** Before the activity's own end, so that the server is told to stop. */
const SPARE_MS = 5_000;

type Listed = Awaited<ReturnType<Client['listTools']>>['tools'][number];

async function listTools(connection: McpConnection): Promise<readonly Listed[]> {
  const client = await connection.client();
  const tools: Listed[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await client.listTools(cursor === undefined ? {} : { cursor });
    tools.push(...page.tools);
    if (page.nextCursor === undefined) return tools;
    cursor = page.nextCursor;
  }
}

/** The call came to no server, or to one that does not know this connection any more. */
function wasNotTaken(error: unknown): boolean {
  if (error instanceof StreamableHTTPError) return error.code === NO_SESSION;
  const cause = error instanceof Error ? error.cause : undefined;
  const all = cause instanceof AggregateError ? (cause.errors as readonly unknown[]) : [cause];
  const isRefused = (one: unknown): boolean =>
    one instanceof Error && 'code' in one && one.code === 'ECONNREFUSED';
  return all.length > 0 && all.every(isRefused);
}

interface ServerCall {
  readonly name: string;
  readonly arguments: Record<string, unknown>;
}

async function callTool(
  connection: McpConnection,
  call: ServerCall,
  { signal, heartbeat }: ToolContext,
  { timeout, isOnce }: { readonly timeout: number; readonly isOnce: boolean },
): Promise<string> {
  const unreached = (): ToolError =>
    new ToolError(`${call.name} cannot be reached now. Nothing was done.`, {
      effect: 'none',
      retryable: true,
    });
  const client = await connection.client().catch(() => {
    throw unreached();
  });
  try {
    const onprogress = (): void => heartbeat();
    const options = { signal, timeout, onprogress, resetTimeoutOnProgress: true, maxTotalTimeout: timeout };
    // Not by `callTool` of the client, which refuses an answer whose structure is not as the server said: it has acted then.
    const request = { method: 'tools/call', params: { ...call } } as const;
    return outputOf((await client.request(request, CallToolResultSchema, options)) as McpAnswer);
  } catch (error) {
    if (error instanceof McpError && (isOnce ? UNKNOWN_METHOD : REFUSED).has(error.code)) {
      throw new ToolError(`${call.name} refused the call: ${error.message}`, { effect: 'none' });
    }
    // Others have calls on this connection: it is given up only where nobody answers over it.
    if (!isAnswer(error) && !signal.aborted) await connection.check(client);
    if (wasNotTaken(error)) throw unreached();
    throw error;
  }
}

/**
 * The tools of an MCP server, for the `tools` of a configuration: `tools: [...await mcpTools({ command: … })]`. The server is
 * asked once what it has; each tool is then like any other, with effect class, ledger, approval and limits.
 *
 * A connection that breaks is made again with the next call. A call whose answer was lost with it is one whose outcome
 * nobody knows: a tool that is `once` ends as `onUnknown` says, others are tried again.
 *
 * @throws where the server cannot be reached, or its tools cannot be listed
 */
export async function mcpTools(options: McpToolsOptions): Promise<McpTools> {
  const { tools: wanted = ['*'], prefix = '', decision, onUnknown, timeout } = options;
  const connection = new McpConnection(options);
  let listed: readonly Listed[];
  try {
    listed = await listTools(connection);
  } catch (error) {
    await connection.close();
    throw new Error(
      `The MCP server at ${connection.place} did not tell its tools. Start it, or mend its command or URL and its credentials.`,
      { cause: error },
    );
  }
  const timeoutMs = timeout === undefined ? TOOL_DEFAULTS.startToCloseMs : msToNumber(timeout);
  const chosen = listed.filter(({ name }) => wanted.some((pattern) => fits(name, pattern)));
  const tools = chosen.map(({ name, description, inputSchema, annotations }): Tool => {
    const effect = effectOf(name, annotations, options);
    // No provider asks for the dialect.
    const { $schema: _dialect, ...parameters } = inputSchema as Record<string, unknown>;
    const tool = defineTool({
      name: `${prefix}${name}`,
      description: description ?? annotations?.title ?? name,
      // A document in the place of a zod object: the mark below says so.
      parameters: parameters as never,
      effect,
      needsApproval: approvalOf(name, options),
      activity: { startToCloseTimeout: timeoutMs },
      ...(decision === undefined ? {} : { decision }),
      ...(effect === 'once' && onUnknown !== undefined ? { onUnknown } : {}),
      execute: (args: Record<string, unknown>, ctx) =>
        callTool(connection, { name, arguments: args }, ctx, {
          timeout: Math.max(timeoutMs - SPARE_MS, timeoutMs / 2),
          isOnce: effect === 'once',
        }),
    });
    return Object.freeze({ ...tool, [DOCUMENT]: true });
  });
  return Object.assign(tools, { close: () => connection.close() });
}
