/** What a scenario is: it measures, judges what it measured, and shows it. Judging and showing are pure. */
import type { Stage } from './stage.ts';

export interface ScenarioOptions {
  /** For CI: fewer and shorter runs. */
  readonly quick: boolean;
  /** Told what goes on. */
  readonly say: (message: string) => void;
  /** For a scenario that is played aside: from now on it only sleeps. */
  readonly quiet: () => void;
}

/** One line of "must show". */
export interface Target {
  readonly name: string;
  readonly value: number;
  /** In words: `≤ 26`. */
  readonly target: string;
  readonly met: boolean;
}

export type Cell = string | number | null;

export interface Table {
  readonly title: string;
  /** Of its columns and its numbers: what a reader has to know. */
  readonly note: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

export interface Scenario<Figures> {
  readonly name: string;
  /** It sleeps nearly all of its time: the others are played meanwhile. @default false */
  readonly aside?: boolean;
  readonly run: (stage: Stage, options: ScenarioOptions) => Promise<Figures>;
  readonly judge: (figures: Figures) => readonly Target[];
  readonly tables: (figures: Figures) => readonly Table[];
}

/** As tables show it: a figure that is not known is NaN, or null once it went through a file. */
export const shown = (cell: Cell): string =>
  cell === null || (typeof cell === 'number' && !Number.isFinite(cell)) ? '–' : String(cell);

/** A value that is not known misses its target; as null, as a file has it, it would be less than any limit. */
export const atMost = (name: string, value: number, limit: number): Target => ({
  name,
  value,
  target: `≤ ${limit}`,
  met: Number.isFinite(value) && value <= limit,
});

export const below = (name: string, value: number, limit: number): Target => ({
  name,
  value,
  target: `< ${limit}`,
  met: Number.isFinite(value) && value < limit,
});

export const atLeast = (name: string, value: number, limit: number): Target => ({
  name,
  value,
  target: `≥ ${limit}`,
  met: Number.isFinite(value) && value >= limit,
});

/** A scenario failed after it had measured something: its figures so far are kept, and the bench fails all the same. */
export class EndedEarly extends Error {
  override readonly name = 'EndedEarly';
  readonly figures: unknown;

  constructor(figures: unknown, cause: unknown) {
    super('A scenario ended early. Its figures are those that it had by then.', { cause });
    this.figures = figures;
  }
}
