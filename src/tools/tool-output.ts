/** What the model reads: outputs as text, and errors in one shape. */

export type OutputErrorCode =
  | 'bad_arguments'
  | 'bad_context'
  | 'unknown_tool'
  | 'not_allowed'
  | 'too_many_calls'
  | 'tool_failed'
  | 'output_too_large'
  | 'output_not_serializable';

/** `{"error":{"code":…,"message":…}}` */
export function errorOutput(code: OutputErrorCode, message: string): string {
  return JSON.stringify({ error: { code, message: message.toWellFormed() } });
}

const SHOWN_CHARS = 64;

/** Text of the model's making, short enough to stand in a message. */
export function shorten(text: string, chars: number = SHOWN_CHARS): string {
  return text.length <= chars ? text : `${text.slice(0, chars)}…`.toWellFormed();
}

/**
 * What a handler gave as the text that the model reads: a string as it is, undefined as an empty one, all
 * else as JSON. The mask takes out what nobody may read. What cannot be sent is replaced by a notice: the tool has done its work by now.
 */
export function outputText(
  tool: string,
  value: unknown,
  maxBytes: number,
  mask: (text: string) => string = (text) => text,
): string {
  let text: string;
  try {
    // Unlike its declared type, it gives undefined for a function or a symbol.
    const json = typeof value === 'string' ? value : (JSON.stringify(value) as string | undefined);
    text = mask((json ?? '').toWellFormed());
  } catch {
    return errorOutput(
      'output_not_serializable',
      `${tool} did its work, but its output cannot be shown. Do not repeat the call for it.`,
    );
  }
  // As JSON, which is how it crosses Temporal: control characters and quotes take more room there.
  const bytes = Buffer.byteLength(JSON.stringify(text)) - 2;
  if (bytes <= maxBytes) return text;
  return errorOutput(
    'output_too_large',
    `${tool} did its work, but its output of ${bytes} bytes is over the limit of ${maxBytes} bytes and was dropped. ` +
      'If it can give less, ask for less.',
  );
}
