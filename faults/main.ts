/** `npm run faults`: see `options.ts` for what it can be told. */
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { driverOf } from './drivers/index.ts';
import { judge } from './judge/judge.ts';
import { writeKept } from './kept.ts';
import { OptionsError, readOptions, USAGE } from './options.ts';
import type { Options } from './options.ts';
import { planRuns } from './plan.ts';
import { play } from './play.ts';
import { isClean, makeReport, printReport } from './report.ts';
import { setStage } from './stage.ts';

const say = (message: string): void => console.error(message);

/** The last runs are started so long before the faults end: they too are to meet some. */
function spanMs({ minutes }: Options): number {
  return Math.max(minutes * 60_000 - 20_000, minutes * 30_000);
}

async function run(options: Options): Promise<number> {
  const driver = await driverOf(options.driver);
  const plans = planRuns(options.seed, {
    count: options.runs,
    spanMs: spanMs(options),
    prefix: `faults-${options.seed}`,
  });
  say(`${options.runs} runs by ${driver.name}, seed ${options.seed}`);
  const stage = await setStage({
    seed: options.seed,
    plans,
    faults: options.faults,
    workerEntry: driver.workerEntry,
    writeBundle: (file) => driver.writeBundle(file),
    onProgress: say,
  });
  const stopNow = (): void => void stage.stop().finally(() => process.exit(130));
  process.once('SIGINT', stopNow).once('SIGTERM', stopNow);
  try {
    const begun = Date.now();
    const { evidence, tasks, endAt } = await play({
      stage,
      driver,
      plans,
      seed: options.seed,
      forMs: options.minutes * 60_000,
      faults: options.faults,
      onProgress: say,
    });
    const verdict = judge(evidence, { promises: driver.promises, tasks, endAt });
    const report = makeReport(verdict, options, {
      tookMs: endAt - begun,
      temporal: stage.temporalVersion,
    });
    console.log(printReport(report));
    if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
    if (isClean(report) && process.env['FAULTS_KEEP'] === undefined) {
      await stage.stop();
      stage.tidy();
      return 0;
    }
    const { starts, cancels, finals } = evidence;
    writeKept(stage.files.folder, { driver: driver.name, plans, starts, cancels, finals, tasks, endAt });
    say(`The journals are in ${stage.files.folder}.`);
    return isClean(report) ? 0 : 1;
  } finally {
    await stage.stop();
  }
}

async function main(): Promise<number> {
  try {
    const options = readOptions(process.argv.slice(2), () => randomInt(1, 0x7fffffff));
    if (options !== null) return await run(options);
    console.log(USAGE);
    return 0;
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
    say(error.message);
    return 2;
  }
}

process.exit(await main());
