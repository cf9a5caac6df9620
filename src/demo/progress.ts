/** Shows the lines of the runs: one live line for each run on a terminal, one line after the other elsewhere. */
import { stripVTControlCharacters } from 'node:util';
import { createLogUpdate } from 'log-update';
import type { Tone } from '../cli/output.ts';
import type { Line } from './narrate.ts';

export interface Progress {
  line(line: Line): void;
  /** Marks a run as ended, well or not. */
  ended(scenario: string, well: boolean): void;
  /** Draws again: for what moves by itself. */
  tick(): void;
  /** Leaves what stands there; nothing is drawn after it. */
  close(): void;
}

export interface ProgressOptions {
  readonly stream: NodeJS.WriteStream;
  readonly scenarios: readonly { readonly name: string; readonly about: string }[];
  /** Epoch milliseconds from which time is shown. */
  readonly since: number;
  readonly tone: (tone: Tone, text: string) => string;
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;
const FRAME_MS = 100;

/** True where lines can be drawn over. */
export function isLive(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv = process.env): boolean {
  return stream.isTTY && env['TERM'] !== 'dumb';
}

const seconds = (milliseconds: number): string => `${(Math.max(milliseconds, 0) / 1_000).toFixed(1)} s`;

export function createProgress(options: ProgressOptions): Progress {
  return isLive(options.stream) ? createLive(options) : createPlain(options);
}

function createPlain({ stream, scenarios, since, tone }: ProgressOptions): Progress {
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  let closed = false;
  return {
    line: ({ scenario, at, text, weight }) => {
      if (closed || weight === 'step') return;
      const time = tone('quiet', seconds(at - since).padStart(7));
      stream.write(`${time}  ${tone('strong', scenario.padEnd(width))}  ${text}\n`);
    },
    ended: () => undefined,
    tick: () => undefined,
    close: () => {
      closed = true;
    },
  };
}

interface Row {
  readonly name: string;
  text: string;
  /** When it changed last. */
  at: number;
  state: 'running' | 'well' | 'ill' | 'left';
}

function createLive({ stream, scenarios, since, tone }: ProgressOptions): Progress {
  const log = createLogUpdate(stream);
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  const rows = scenarios.map(({ name, about }): Row => ({ name, text: about, at: since, state: 'running' }));

  const draw = (row: Row): string => {
    const frame = FRAMES[Math.floor(Date.now() / FRAME_MS) % FRAMES.length] ?? '';
    const mark = { running: frame, well: tone('good', '✔'), ill: tone('bad', '✘'), left: '·' }[row.state];
    const time = seconds((row.state === 'running' ? Date.now() : row.at) - since).padStart(7);
    const head = `${mark} ${row.name.padEnd(width)}  `;
    // The last column stays free: some terminals wrap there.
    const room = stream.columns - stripVTControlCharacters(head).length - time.length - 1;
    const text =
      row.text.length > room ? `${row.text.slice(0, Math.max(room - 1, 0))}…` : row.text.padEnd(room);
    return `${mark} ${tone('strong', row.name.padEnd(width))}  ${text}${tone('quiet', time)}`;
  };
  let closed = false;
  const render = (): void => {
    if (!closed) log(rows.map(draw).join('\n'));
  };

  render();
  return {
    line: ({ scenario, at, text }) => {
      const row = rows.find(({ name }) => name === scenario);
      if (row !== undefined && row.state === 'running') Object.assign(row, { text, at });
      render();
    },
    ended: (scenario, well) => {
      const row = rows.find(({ name }) => name === scenario);
      if (row !== undefined) row.state = well ? 'well' : 'ill';
      render();
    },
    tick: render,
    close: () => {
      if (closed) return;
      for (const row of rows) if (row.state === 'running') row.state = 'left';
      render();
      closed = true;
      log.done();
    },
  };
}
