/** What an error says of the server behind it. Pure. */
import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';

/**
 * The server's own words, be they that it does not know the method: it is there. A connection that has closed needs no
 * closing, so only the time that is over counts as silence.
 */
export const isAnswer = (error: unknown): boolean =>
  error instanceof McpError && error.code !== (ErrorCode.RequestTimeout as number);
