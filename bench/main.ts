/** `npm run bench`: measures Drover beside what one would otherwise use, in one go on one server. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { drawTable, drawTargets } from './print.ts';
import { surroundings } from './report.ts';
import type { Report } from './report.ts';
import { EndedEarly, shown } from './scenario.ts';
import type { Scenario } from './scenario.ts';
import { judgeFigures, SCENARIOS } from './scenarios/index.ts';
import { setStage } from './stage.ts';

const HELP = `npm run bench -- [options]

  --only NAME[,NAME]   some scenarios
  --json FILE          writes every figure
  --quick              fewer and shorter runs, for CI
  --strict             exits 1 where a target is missed
  --keep               leaves the folder of logs and journal, and says where it is
  --profile            workers write profiles of their processor time there too
  --help               prints this`;

function readFlags() {
  const off = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({
      options: {
        only: { type: 'string' },
        json: { type: 'string' },
        quick: off,
        strict: off,
        keep: off,
        profile: off,
        help: off,
      },
    }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    process.exit(2);
  }
}

const flags = readFlags();
if (flags.help) {
  console.log(HELP);
  process.exit(0);
}
const wanted = flags.only?.split(',') ?? SCENARIOS.map(({ name }) => name);
const unknown = wanted.filter((name) => SCENARIOS.every((scenario) => scenario.name !== name));
if (unknown.length > 0) {
  console.error(
    `No scenario is called ${unknown.join(', ')}. There are: ${SCENARIOS.map(({ name }) => name).join(', ')}.`,
  );
  process.exit(2);
}

const begun = Date.now();
const keep = flags.keep || flags.profile;
const stage = await setStage({ keep, profile: flags.profile });
const provenance = surroundings(stage.serverVersion);
const played = SCENARIOS.filter(({ name }) => wanted.includes(name));
const figures: Record<string, unknown> = {};
const endedEarly: string[] = [];
let failure: unknown = null;
try {
  await playAll(played);
} catch (error) {
  // What was measured before it took minutes to hours.
  failure = error ?? 'unknown';
} finally {
  await stage.stop();
}
const targets = judgeFigures(figures);

const report: Report = {
  ...provenance,
  quick: flags.quick,
  ended_early: endedEarly,
  seconds: Math.round((Date.now() - begun) / 1_000),
  targets,
  figures: Object.fromEntries(played.map(({ name }) => [name, figures[name]])),
};
if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify(report, null, 1)}\n`);
const missed = targets.filter(({ met }) => !met);
console.log(`${targets.length - missed.length} of ${targets.length} targets met, after ${report.seconds} s.`);
for (const { scenario, name, value, target } of missed)
  console.log(`  missed: ${scenario}: ${name}: ${shown(value)}, not ${target}`);
if (keep) console.log(`Logs and journal: ${stage.folder}`);
if (failure !== null) {
  const lacking = played.filter(({ name }) => figures[name] === undefined).map(({ name }) => name);
  const without = lacking.length === 0 ? '' : `, without figures of ${lacking.join(', ')}`;
  console.error(`It ended early${without}:`, failure);
}
process.exit(failure !== null || (flags.strict && missed.length > 0) ? 1 : 0);

async function playAll(scenarios: readonly Scenario<unknown>[]): Promise<void> {
  // Nobody looks at these before the others are over; a failure is told then.
  const asides = scenarios.filter((one) => one.aside === true).map(playAside);
  const aside = Promise.allSettled(asides.map(({ ended }) => ended));
  await Promise.all(asides.map(({ quiet }) => quiet));
  for (const scenario of scenarios) if (scenario.aside !== true) await play(scenario);
  for (const end of await aside) if (end.status === 'rejected') throw end.reason;
}

interface Aside {
  /** Resolves when it is, or has ended. */
  readonly quiet: Promise<unknown>;
  readonly ended: Promise<void>;
}

function playAside(scenario: Scenario<unknown>): Aside {
  const { promise, resolve } = Promise.withResolvers<void>();
  const ended = play(scenario, resolve);
  return { quiet: Promise.race([promise, ended.catch(() => undefined)]), ended };
}

async function play(scenario: Scenario<unknown>, quiet: () => void = () => undefined): Promise<void> {
  const say = (message: string): void => console.log(`${scenario.name}: ${message}`);
  const { measured, early } = await scenario.run(stage, { quick: flags.quick, say, quiet }).then(
    (whole) => ({ measured: whole, early: null }),
    (error: unknown) => {
      if (error instanceof EndedEarly) return { measured: error.figures, early: error };
      throw error;
    },
  );
  figures[scenario.name] = measured;
  if (early !== null) endedEarly.push(scenario.name);
  for (const table of scenario.tables(measured)) console.log(drawTable(table));
  const judged = scenario.judge(measured);
  if (judged.length > 0) console.log(drawTargets(judged));
  if (early !== null) throw early;
}
