/** One call of a tool of an MCP server. */
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { CallToolResultSchema, ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import type { ToolContext } from '../tools/define-tool.ts';
import { ToolError } from '../tools/tool-error.ts';
import type { McpConnection } from './mcp-connection.ts';
import { outputOf, type McpAnswer } from './mcp-output.ts';
import { isAnswer, refusalOf, tellRefusal, type Refusal } from './mcp-refusal.ts';

/** A server that refuses a call by this code has run nothing. */
const UNKNOWN_METHOD: ReadonlySet<number> = new Set([ErrorCode.MethodNotFound]);
/** Some also say so of what a tool has given, when it has acted: no word that something was not done. */
const REFUSED: ReadonlySet<number> = new Set([...UNKNOWN_METHOD, ErrorCode.InvalidParams]);

export interface ServerCall {
  readonly name: string;
  readonly arguments: Record<string, unknown>;
}

export interface CallBounds {
  /** Connecting and sending it again count. */
  readonly timeoutMs: number;
  readonly isOnce: boolean;
}

interface Sending {
  readonly connection: McpConnection;
  readonly call: ServerCall;
  readonly ctx: ToolContext;
  readonly isOnce: boolean;
  /** When its time is over, by the clock. */
  readonly until: number;
}

interface Untaken {
  readonly refusal: Refusal;
  /** Whether a new connection may take it. */
  readonly again: boolean;
}

async function request(client: Client, { call, ctx, until }: Sending): Promise<string> {
  const timeout = until - Date.now();
  const { signal } = ctx;
  const onprogress = (): void => ctx.heartbeat();
  const options = { signal, timeout, onprogress, resetTimeoutOnProgress: true, maxTotalTimeout: timeout };
  // Not by `callTool` of the client, which refuses an answer whose structure is not as the server said: it has acted then.
  const message = { method: 'tools/call', params: { ...call } } as const;
  return outputOf((await client.request(message, CallToolResultSchema, options)) as McpAnswer);
}

async function sendOver(client: Client, sending: Sending): Promise<string | Untaken> {
  const { connection, call, ctx, isOnce, until } = sending;
  if (Date.now() >= until) return { refusal: 'away', again: false };
  // It closed before anything was sent.
  if (client.transport === undefined) return { refusal: 'away', again: true };
  try {
    return await request(client, sending);
  } catch (error) {
    if (error instanceof McpError && (isOnce ? UNKNOWN_METHOD : REFUSED).has(error.code)) {
      throw new ToolError(`${call.name} refused the call: ${error.message}`, { effect: 'none' });
    }
    const refusal = refusalOf(error);
    if (refusal === null) {
      // Others have calls on this connection: it is given up only where nobody answers over it.
      if (!isAnswer(error) && !ctx.signal.aborted) await connection.check(client);
      throw error;
    }
    // One that has too much to do is not asked again at once.
    const again = refusal !== 'busy';
    if (again) connection.leave(client);
    return { refusal, again };
  }
}

async function send(sending: Sending): Promise<string | Untaken> {
  const held = sending.connection.hold();
  try {
    const client = await held.ready.catch((error: unknown): Untaken => ({
      refusal: refusalOf(error) ?? 'away',
      again: false,
    }));
    return 'refusal' in client ? client : await sendOver(client, sending);
  } finally {
    held.release();
  }
}

/**
 * A call that was not taken is sent once more over a new connection, whatever its effect class: the session may have been
 * over, and nothing was done.
 *
 * @throws {ToolError} where the server refused it, or could not be asked
 */
export async function callTool(
  connection: McpConnection,
  call: ServerCall,
  ctx: ToolContext,
  { timeoutMs, isOnce }: CallBounds,
): Promise<string> {
  const sending: Sending = { connection, call, ctx, isOnce, until: Date.now() + timeoutMs };
  const first = await send(sending);
  const last = typeof first !== 'string' && first.again ? await send(sending) : first;
  if (typeof last === 'string') return last;
  const { message, retryable } = tellRefusal(call.name, last.refusal);
  throw new ToolError(message, { effect: 'none', retryable });
}
