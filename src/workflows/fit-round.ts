/** Cuts the outputs of a round to what crosses Temporal and the provider's wire in one piece. Pure. */
import { LIMITS } from '../contract.ts';
import type { ToolOutput } from '../steps.ts';
import { cutText, jsonBytes, utf8Bytes } from './run-result.ts';

const KEPT_CHARS = 1024;

/** What the model reads in place of an output that did not fit: its beginning, and that it was cut. */
export function cutOutput(output: string, bytes: number): string {
  return JSON.stringify({
    error: {
      code: 'output_too_large',
      message: `The output had ${bytes} bytes and was cut. Ask for less at once.`,
    },
    beginning: cutText(output, KEPT_CHARS),
  });
}

/** Cuts the largest outputs until the sum of their JSON fits; the others stay whole. */
export function fitRound(
  outputs: readonly ToolOutput[],
  limit: number = LIMITS.roundOutputBytes,
): { readonly outputs: readonly ToolOutput[]; readonly cut: ReadonlyMap<string, number> } {
  const sizes = outputs.map(({ output }) => jsonBytes(output));
  let total = sizes.reduce((sum, size) => sum + size, 0);
  const cut = new Map<string, number>();
  const fitted = [...outputs];
  const largestFirst = sizes.map((_, index) => index).sort((a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0));
  for (const index of largestFirst) {
    const held = fitted[index];
    const size = sizes[index] ?? 0;
    if (total <= limit || held === undefined || size <= KEPT_CHARS * 4) break;
    const output = cutOutput(held.output, utf8Bytes(held.output));
    fitted[index] = { ...held, output };
    cut.set(held.tool_call_id, utf8Bytes(held.output));
    total -= size - jsonBytes(output);
  }
  return { outputs: fitted, cut };
}
