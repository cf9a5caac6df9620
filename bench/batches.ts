/** Batches of runs that were driven one after the other, and what they show beside each other: pure. */
import { least, mean, median, most, round } from './statistics.ts';

export const PLACES = ['responses', 'assistants, given thread', 'assistants, new thread'] as const;
/** Drover alone: a poll loop gives no turns. */
export const IN_TURN = 'assistants, given thread, in turn';
export type Place = (typeof PLACES)[number] | typeof IN_TURN;

/** Processor time a run, by who spends it. */
export interface CpuMs {
  readonly worker: number;
  readonly server: number;
  readonly provider: number;
  /** The bench itself, which starts runs and waits for them. */
  readonly client: number;
}

export interface Batch {
  readonly driver: 'drover' | 'textbook' | 'noop';
  /** Where its runs live at the provider; null for the floor, which has none. */
  readonly place: Place | null;
  /** Null for the floor. */
  readonly rounds: number | null;
  /** Batches of one cycle are compared with each other. No other load has a cycle of this number. */
  readonly cycle: number;
  readonly runs: number;
  readonly seconds: number;
  readonly cpu_ms: CpuMs;
}

export const rateOf = ({ runs, seconds }: Batch): number => runs / seconds;

/** The floor's batches of the same cycle that come next before and after: their mean. */
function floorAround(batches: readonly Batch[], batch: Batch): number {
  const at = batches.indexOf(batch);
  const isFloor = (one: Batch): boolean => one.driver === 'noop' && one.cycle === batch.cycle;
  const around = [batches.slice(0, at).findLast(isFloor), batches.slice(at + 1).find(isFloor)];
  return mean(around.flatMap((one) => (one === undefined ? [] : [rateOf(one)])));
}

/** Runs a second as a ratio to the floor's around them. */
const toFloor = (batches: readonly Batch[], batch: Batch): number =>
  rateOf(batch) / floorAround(batches, batch);

/**
 * By the floor around each of the two: the machine's speed changes between them. NaN where the poll loop has none of the
 * same place and cycle.
 */
function toTextbook(batches: readonly Batch[], batch: Batch): number {
  const place = batch.place === IN_TURN ? 'assistants, given thread' : batch.place;
  const beside = batches.find(
    (one) => one.driver === 'textbook' && one.cycle === batch.cycle && one.place === place,
  );
  return beside === undefined ? Number.NaN : toFloor(batches, batch) / toFloor(batches, beside);
}

const RATIO_TO = { noop: toFloor, textbook: toTextbook } as const;

/** Of such batches, to another driver at about the same time. */
const ratios = (
  batches: readonly Batch[],
  mine: readonly Batch[],
  to: keyof typeof RATIO_TO,
): readonly number[] => mine.map((batch) => RATIO_TO[to](batches, batch));

/** The median of all cycles. */
export const ratio = (...given: Parameters<typeof ratios>): number => round(median(ratios(...given)), 2);

/** Null where one of them is not known. */
export function spread(...given: Parameters<typeof ratios>): string | null {
  const all = ratios(...given);
  const [from, to] = [round(least(all), 2), round(most(all), 2)];
  return Number.isNaN(from) ? null : `${from} to ${to}`;
}
