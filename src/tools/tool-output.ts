/** What the model reads: outputs as text, and errors in one shape. */
import { LIMITS } from '../contract.ts';

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

/** What has more values or text than this is over any limit, and would block the worker while it is written. */
const MOST_VALUES = LIMITS.maxOutputBytes;
const MOST_CHARS = 64 * LIMITS.maxOutputBytes;

class TooLargeError extends Error {}

/** The JSON of a value. Unlike its declared type, `JSON.stringify` gives undefined for a function or a symbol. */
function writeJson(value: unknown): string | undefined {
  let values = 0;
  let chars = 0;
  return JSON.stringify(value, (key: string, held: unknown) => {
    values += 1;
    chars += key.length + (typeof held === 'string' ? held.length : 0);
    if (values > MOST_VALUES || chars > MOST_CHARS) throw new TooLargeError();
    return held;
  });
}

const tooLarge = (tool: string, size: string, maxBytes: number): string =>
  errorOutput(
    'output_too_large',
    `${tool} did its work, but its output ${size} is over the limit of ${maxBytes} bytes and was dropped. ` +
      'If it can give less, ask for less.',
  );

/** What a thrown value says, on one line and shortened; nothing where it is no error. */
export function reasonOf(error: unknown): string {
  const said: unknown = error instanceof Error ? error.message : null;
  return typeof said === 'string'
    ? shorten(said.split('\n', 1)[0] ?? '', 200).toWellFormed()
    : 'unknown reason';
}

/** A name in a field's path: quoted and shortened where it cannot be shown as it is. */
export const fieldName = (name: string): string =>
  /^\P{Cc}{1,64}$/u.test(name) && name.isWellFormed()
    ? name
    : JSON.stringify(shorten(name, 40).toWellFormed());

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
    const json = typeof value === 'string' ? value : writeJson(value);
    text = mask((json ?? '').toWellFormed());
  } catch (error) {
    if (error instanceof TooLargeError) return tooLarge(tool, 'of many megabytes', maxBytes);
    return errorOutput(
      'output_not_serializable',
      `${tool} did its work, but its output cannot be shown. Do not repeat the call for it.`,
    );
  }
  // As JSON, which is how it crosses Temporal: control characters and quotes take more room there.
  const bytes = Buffer.byteLength(JSON.stringify(text)) - 2;
  return bytes <= maxBytes ? text : tooLarge(tool, `of ${bytes} bytes`, maxBytes);
}
