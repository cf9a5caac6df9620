/** Brings the tools of an MCP server in as registered tools. */
import { ConfigError } from '../config-error.ts';
import { readDuration } from '../tools/check-tool.ts';
import { defineTool, DOCUMENT } from '../tools/define-tool.ts';
import type { Tool } from '../tools/define-tool.ts';
import { TOOL_DEFAULTS } from '../tools/tool-defaults.ts';
import { checkMcpOptions } from './check-mcp-options.ts';
import { callTool } from './mcp-call.ts';
import { McpConnection } from './mcp-connection.ts';
import { listTools, type Listed } from './mcp-list.ts';
import { approvalOf, descriptionOf, effectOf, fits, type McpToolsOptions } from './mcp-options.ts';

/** The tools, and the connection behind them. */
export interface McpTools extends ReadonlyArray<Tool> {
  /** Ends the connection, and the process where one was started. A call after that makes another. */
  close(): Promise<void>;
}

/** Before the activity's own end, so that the server is told to stop. */
const SPARE_MS = 5_000;

/**
 * The tools of an MCP server, for the `tools` of a configuration: `tools: [...await mcpTools({ command: … })]`. The server is
 * asked once what it has; each tool is then like any other, with effect class, ledger, approval and limits.
 *
 * A connection that breaks is made again with the next call. A call that the server did not take is sent once more, and
 * one whose answer was lost is one whose outcome nobody knows: a tool that is `once` ends as `onUnknown` says, others are
 * tried again.
 *
 * @throws {ConfigError} where the options are wrong, with every mistake at once
 * @throws where the server cannot be reached, or its tools cannot be listed
 */
export async function mcpTools(options: McpToolsOptions): Promise<McpTools> {
  const issues = checkMcpOptions(options);
  if (issues.length > 0) throw new ConfigError(issues);
  const { tools: wanted = ['*'], prefix = '', decision, onUnknown, timeout } = options;
  const connection = new McpConnection(options);
  const held = connection.hold();
  let listed: readonly Listed[];
  try {
    listed = await listTools(await held.ready);
  } catch (error) {
    await connection.close();
    throw new Error(
      `The MCP server at ${connection.place} did not tell its tools. Start it, or mend its command or URL and its credentials.`,
      { cause: error },
    );
  } finally {
    held.release();
  }
  const timeoutMs = readDuration(timeout) ?? TOOL_DEFAULTS.startToCloseMs;
  const chosen = listed.filter(({ name }) => wanted.some((pattern) => fits(name, pattern)));
  const tools = chosen.map((one): Tool => {
    const { name, inputSchema, annotations } = one;
    const effect = effectOf(name, annotations, options);
    // No provider asks for the dialect.
    const { $schema: _dialect, ...parameters } = inputSchema as Record<string, unknown>;
    const tool = defineTool({
      name: `${prefix}${name}`,
      description: descriptionOf(one),
      // A document in the place of a zod object: the mark below says so.
      parameters: parameters as never,
      effect,
      needsApproval: approvalOf(name, options),
      activity: { startToCloseTimeout: timeoutMs },
      ...(decision === undefined ? {} : { decision }),
      ...(effect === 'once' && onUnknown !== undefined ? { onUnknown } : {}),
      execute: (args: Record<string, unknown>, ctx) =>
        callTool(connection, { name, arguments: args }, ctx, {
          timeoutMs: Math.max(timeoutMs - SPARE_MS, timeoutMs / 2),
          isOnce: effect === 'once',
        }),
    });
    return Object.freeze({ ...tool, [DOCUMENT]: true });
  });
  return Object.assign(tools, { close: () => connection.close() });
}
