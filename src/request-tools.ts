/** Reads the tools of a request. Pure: workflow code loads it. */
import type { Json } from './run.ts';

/** The name of a function among a request's tools, or of a `tool_choice`; null for the provider's own tools. */
export function functionName(tool: Json): string | null {
  if (typeof tool === 'string') return tool;
  if (typeof tool !== 'object' || tool === null || !('type' in tool) || tool.type !== 'function') return null;
  const { function: definition } = tool;
  if (typeof definition !== 'object' || definition === null || !('name' in definition)) return null;
  return typeof definition.name === 'string' ? definition.name : null;
}
