/** The command line, run in this process. */
import type { Output } from '../../src/cli/output.ts';
import { main } from '../../src/cli/program.ts';

/** An output that keeps all that is said, wherever, without colours. */
export function captureOutput(): { readonly output: Output; readonly lines: readonly string[] } {
  const lines: string[] = [];
  const keep = (line: string): void => void lines.push(line);
  const plain = (_: unknown, text: string): string => text;
  const output: Output = {
    out: keep,
    note: keep,
    json: (value) => keep(JSON.stringify(value)),
    tone: plain,
    noteTone: plain,
  };
  return { output, lines };
}

/** @returns its exit code, and all that it said, wherever */
export async function runCli(
  args: readonly string[],
): Promise<{ readonly code: number; readonly told: string }> {
  const { output, lines } = captureOutput();
  const code = await main(args, output);
  return { code, told: lines.join('\n') };
}
