/** The shapes of runs: what may befall one by itself, before any fault is made. */
import type { ToolArguments, ToolName } from './tool-table.ts';

export const SHAPES = [
  'plain',
  'expires',
  'vanishes',
  'out_of_tokens',
  'server_error',
  'rate_limited',
  'invalid_prompt',
  'filtered',
  'exhausted',
  'cancelled_elsewhere',
  'cancelled_by_service',
] as const;
export type Shape = (typeof SHAPES)[number];

/** An effect that the model asks for, in every attempt anew. */
export interface PlannedEffect {
  readonly tool: ToolName;
  readonly args: ToolArguments;
}
