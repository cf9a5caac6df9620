/** Brings the tools of an MCP server in as registered tools. */
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { msToNumber } from '@temporalio/common/lib/time.js';
import { defineTool, DOCUMENT } from '../tools/define-tool.ts';
import type { Tool, ToolContext } from '../tools/define-tool.ts';
import { ToolError } from '../tools/tool-error.ts';
import { TOOL_DEFAULTS } from '../tools/registry.ts';
import { McpConnection } from './mcp-connection.ts';
import { approvalOf, effectOf, fits, type McpToolsOptions } from './mcp-options.ts';
import { outputOf, type McpAnswer } from './mcp-output.ts';

/** The tools, and the connection behind them. */
export interface McpTools extends ReadonlyArray<Tool> {
  /** Ends the connection, and the process where one was started. A call after that makes another. */
  close(): Promise<void>;
}

/** The server refused the call before anything was run. */
const REFUSED: ReadonlySet<number> = new Set([ErrorCode.InvalidParams, ErrorCode.MethodNotFound]);
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

async function callTool(
  connection: McpConnection,
  call: { readonly name: string; readonly arguments: Record<string, unknown> },
  { signal, heartbeat }: ToolContext,
  timeout: number,
): Promise<string> {
  let client: Client;
  try {
    client = await connection.client();
  } catch {
    throw new ToolError(`${call.name} cannot be reached now. Nothing was done.`, {
      effect: 'none',
      retryable: true,
    });
  }
  try {
    const onprogress = (): void => heartbeat();
    const options = { signal, timeout, onprogress, resetTimeoutOnProgress: true, maxTotalTimeout: timeout };
    return outputOf((await client.callTool(call, undefined, options)) as McpAnswer);
  } catch (error) {
    if (error instanceof McpError && REFUSED.has(error.code)) {
      throw new ToolError(`${call.name} refused the call: ${error.message}`, { effect: 'none' });
    }
    // Nobody knows whether it acted. What broke is not used again.
    await connection.close();
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
        callTool(connection, { name, arguments: args }, ctx, Math.max(timeoutMs - SPARE_MS, timeoutMs / 2)),
    });
    return Object.freeze({ ...tool, [DOCUMENT]: true });
  });
  return Object.assign(tools, { close: () => connection.close() });
}
