/**
 * `npm run faults:again -- FOLDER…`: judges runs whose journals were kept (`FAULTS_KEEP=1`) by the judge of today. For
 * whoever changes the judge: the same journals, another word on them.
 */
import { driverOf } from './drivers/index.ts';
import { judge } from './judge/judge.ts';
import { filesIn, readJournals, readKept } from './kept.ts';
import { isClean, printVerdict } from './report.ts';

const folders = process.argv.slice(2);
if (folders.length === 0) {
  console.error('Give the folder that `npm run faults` has named.');
  process.exitCode = 2;
}
for (const folder of folders) {
  const { driver, tasks, endAt, ...known } = readKept(folder);
  const { promises } = await driverOf(driver);
  const verdict = judge({ ...known, ...readJournals(filesIn(folder)) }, { promises, tasks, endAt });
  console.log(`${folder}, by ${driver}\n${printVerdict(verdict)}`);
  if (!isClean(verdict.counts)) process.exitCode = 1;
}
