/** What a model reads of what an MCP tool answered. Pure. */
import type { JsonObject } from '../run.ts';

interface Content {
  readonly type: string;
  readonly text?: string;
  readonly mimeType?: string;
  readonly uri?: string;
  readonly name?: string;
  readonly resource?: { readonly uri?: string; readonly text?: string; readonly mimeType?: string };
}

export interface McpAnswer {
  readonly content?: readonly Content[];
  readonly structuredContent?: JsonObject;
  readonly isError?: boolean;
}

/** What is no text is named: a model reads an output as text. */
function textOf({ type, text, mimeType, uri, name, resource }: Content): string {
  if (type === 'text') return text ?? '';
  if (type === 'resource') return resource?.text ?? `[resource ${resource?.uri ?? '?'}]`;
  if (type === 'resource_link') return `[resource ${name ?? ''} ${uri ?? ''}]`;
  return `[${type}${mimeType === undefined ? '' : `, ${mimeType}`}]`;
}

/**
 * An answer that says the tool failed is an answer: the effect's outcome is known, and the model reads why. Equal calls of
 * later attempts are answered with it.
 */
export function outputOf({ content = [], structuredContent, isError }: McpAnswer): string {
  const text = content.map(textOf).join('\n');
  if (isError === true) return JSON.stringify({ error: { code: 'tool_failed', message: text } });
  return text === '' && structuredContent !== undefined ? JSON.stringify(structuredContent) : text;
}
