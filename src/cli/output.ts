/** What the CLI writes: results on standard output, everything else on standard error. */
import { styleText } from 'node:util';
import Table from 'cli-table3';

export type Tone = 'good' | 'warn' | 'bad' | 'quiet' | 'strong';

const STYLES = {
  good: 'green',
  warn: 'yellow',
  bad: 'red',
  quiet: 'dim',
  strong: 'bold',
} as const satisfies Record<Tone, Parameters<typeof styleText>[0]>;

export interface Output {
  /** Standard output: a line of the result. */
  readonly out: (line: string) => void;
  /** Standard error: a line about how it goes. */
  readonly note: (line: string) => void;
  /** Standard output: one JSON document. */
  readonly json: (value: unknown) => void;
  /** Colour for a line of standard output; plain where that is no terminal, or NO_COLOR is set. */
  readonly tone: (tone: Tone, text: string) => string;
  /** The same for standard error. */
  readonly noteTone: (tone: Tone, text: string) => string;
}

/** `styleText` itself leaves colours out where the stream is no terminal, and heeds NO_COLOR and FORCE_COLOR. */
const paint =
  (stream: NodeJS.WriteStream) =>
  (tone: Tone, text: string): string =>
    styleText(STYLES[tone], text, { stream });

/** Control characters of a provider's or a model's text would move the cursor, or worse. */
export function printable(text: string): string {
  return text.replaceAll(/(?![\t\n])\p{Cc}/gu, '');
}

export function createOutput(
  stdout: NodeJS.WriteStream = process.stdout,
  stderr: NodeJS.WriteStream = process.stderr,
): Output {
  return {
    out: (line) => void stdout.write(`${line}\n`),
    note: (line) => void stderr.write(`${line}\n`),
    json: (value) => void stdout.write(`${JSON.stringify(value)}\n`),
    tone: paint(stdout),
    noteTone: paint(stderr),
  };
}

const BARE = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
} as const;

/** Columns without borders, which can be read, copied and piped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const made = new Table({
    head: [...head],
    chars: BARE,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows) made.push(row.map((cell) => printable(cell).replaceAll(/\s+/g, ' ')));
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Names and values, one pair a line; a pair without value is left out. */
export function facts(pairs: readonly (readonly [string, string | number | null | undefined])[]): string {
  const said = pairs.flatMap(([name, value]) =>
    value === null || value === undefined || value === '' ? [] : [[name, String(value)] as const],
  );
  const width = Math.max(0, ...said.map(([name]) => name.length));
  return said.map(([name, value]) => `${name.padEnd(width)}  ${printable(value)}`).join('\n');
}

/** `1.2 s`, `3 min 5 s`, `2 h 10 min`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1_000;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
}
