/** Time that a tool round adds: the model does not think, the tool does nothing, and next to nothing else runs. */
import { startCreateAndPoll } from '../drivers/create-and-poll.ts';
import type { Driver, Job } from '../drivers/driver.ts';
import { startDrover } from '../drivers/drover.ts';
import { startTextbook } from '../drivers/textbook.ts';
import { scriptOf } from '../provider/script.ts';
import type { Scenario, ScenarioOptions, Table } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { median, round } from '../statistics.ts';

export interface OverheadRow {
  readonly variant: string;
  readonly rounds: number;
  /** From the start to the result, each run. */
  readonly seconds: readonly number[];
}

export interface OverheadFigures {
  readonly rows: readonly OverheadRow[];
}

interface Variant {
  readonly name: string;
  readonly driver: Driver;
  readonly wire: Job['wire'];
  /** Runs at once: those that sleep most of their time do not disturb each other. */
  readonly lanes: number;
}

const FEW = 1;

async function timeRuns({ driver, lanes }: Variant, jobs: readonly Job[]): Promise<readonly number[]> {
  const left = jobs.values();
  const seconds: number[] = [];
  const lane = async (): Promise<void> => {
    for (const job of left) {
      const begun = performance.now();
      await driver.start(job);
      await driver.ended(job);
      seconds.push(round((performance.now() - begun) / 1_000));
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return seconds;
}

async function run(stage: Stage, { quick, say }: ScenarioOptions): Promise<OverheadFigures> {
  const [drover, textbook, createAndPoll] = await Promise.all([
    startDrover(stage),
    startTextbook(stage),
    startCreateAndPoll(stage),
  ]);
  const variants: readonly Variant[] = [
    { name: 'drover, responses', driver: drover, wire: 'responses', lanes: 1 },
    { name: 'drover, assistants', driver: drover, wire: 'assistants', lanes: 1 },
    { name: 'textbook', driver: textbook, wire: 'assistants', lanes: 5 },
    { name: 'createAndPoll', driver: createAndPoll, wire: 'assistants', lanes: 10 },
  ];
  const many = quick ? 2 : 9;
  const runs = quick ? 3 : 10;
  try {
    say(`${runs} runs with ${FEW} and with ${many} rounds by each driver`);
    const rows = await Promise.all(
      variants.map(async (variant): Promise<readonly OverheadRow[]> => {
        const measured: OverheadRow[] = [];
        for (const rounds of [FEW, many]) {
          const key = variant.name.toLowerCase().replaceAll(/[^a-z]+/g, '-');
          const jobs = Array.from({ length: runs }, (_, index): Job => {
            return { id: `bench-overhead-${key}-${rounds}-${index}`, wire: variant.wire };
          });
          await stage.provider.define(jobs.map(({ id }) => ({ id, script: scriptOf(rounds, 0) })));
          measured.push({ variant: variant.name, rounds, seconds: await timeRuns(variant, jobs) });
        }
        return measured;
      }),
    );
    return { rows: rows.flat() };
  } finally {
    await Promise.all([drover.stop(), textbook.stop(), createAndPoll.stop()]);
  }
}

/** Seconds a round: the slope between the runs with one round and those with the most. */
function slope(rows: readonly OverheadRow[], variant: string): number {
  const mine = rows.filter((row) => row.variant === variant).sort((a, b) => a.rounds - b.rounds);
  const [few, many] = [mine[0], mine.at(-1)];
  if (few === undefined || many === undefined || few === many) return Number.NaN;
  return (median(many.seconds) - median(few.seconds)) / (many.rounds - few.rounds);
}

function tables({ rows }: OverheadFigures): readonly Table[] {
  const variants = [...new Set(rows.map(({ variant }) => variant))];
  const rounds = [...new Set(rows.map((row) => row.rounds))];
  const middle = (variant: string, count: number): number =>
    round(median(rows.find((row) => row.variant === variant && row.rounds === count)?.seconds ?? []));
  return [
    {
      title: 'Overhead of a tool round',
      note: 'The model does not think and the tool does nothing. From the start of a run to its result, medians; a round is the slope between them.',
      head: ['driver', ...rounds.map((count) => `${count} round(s), s`), 'a round, s'],
      rows: variants.map((variant) => [
        variant,
        ...rounds.map((count) => middle(variant, count)),
        round(slope(rows, variant)),
      ]),
    },
  ];
}

export const overhead: Scenario<OverheadFigures> = { name: 'overhead', run, judge: () => [], tables };
