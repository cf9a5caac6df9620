/**
 * `npm run bench`: measures Drover beside what one would otherwise use, in one go on one server.
 *
 * --only NAME[,NAME]   some scenarios
 * --json FILE          writes every figure
 * --quick              fewer and shorter runs, for CI
 * --strict             exits 1 where a target is missed
 * --keep               leaves the folder of logs and journal, and says where it is
 * --profile            workers write profiles of their processor time there too
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { drawTable, drawTargets } from './print.ts';
import { surroundings } from './report.ts';
import type { Report } from './report.ts';
import { SCENARIOS } from './scenarios/index.ts';
import { setStage } from './stage.ts';

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    json: { type: 'string' },
    quick: { type: 'boolean', default: false },
    strict: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
  },
});

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
const figures: Record<string, unknown> = {};
const targets: Report['targets'][number][] = [];
try {
  for (const scenario of SCENARIOS.filter(({ name }) => wanted.includes(name))) {
    const say = (message: string): void => console.log(`${scenario.name}: ${message}`);
    const measured = await scenario.run(stage, { quick: flags.quick, say });
    figures[scenario.name] = measured;
    const judged = scenario.judge(measured);
    targets.push(...judged.map((target) => ({ scenario: scenario.name, ...target })));
    for (const table of scenario.tables(measured)) console.log(drawTable(table));
    console.log(`${drawTargets(judged)}\n`);
  }
} finally {
  await stage.stop();
}

const report: Report = {
  ...surroundings(stage.serverVersion),
  quick: flags.quick,
  seconds: Math.round((Date.now() - begun) / 1_000),
  targets,
  figures,
};
if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify(report, null, 1)}\n`);
const missed = targets.filter(({ met }) => !met);
console.log(`${targets.length - missed.length} of ${targets.length} targets met, after ${report.seconds} s.`);
for (const { scenario, name, value, target } of missed)
  console.log(`  missed: ${scenario}: ${name}: ${value}, not ${target}`);
if (keep) console.log(`Logs and journal: ${stage.folder}`);
process.exit(flags.strict && missed.length > 0 ? 1 : 0);
