/**
 * `npm run faults:docs`: writes `docs/faults.md` from the reports in `faults/results`; with `--check` only tells
 * whether it is up to date.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { renderPage } from './docs.ts';
import type { Report } from './report.ts';

const RESULTS = new URL('./results/', import.meta.url);
const PAGE = fileURLToPath(new URL('../docs/faults.md', import.meta.url));

const reports = readdirSync(RESULTS)
  .filter((name) => name.endsWith('.json'))
  .sort()
  .map((name) => JSON.parse(readFileSync(new URL(name, RESULTS), 'utf8')) as Report)
  .sort((a, b) => a.driver.localeCompare(b.driver) || Number(b.faults) - Number(a.faults) || a.seed - b.seed);
const page = await format(renderPage(reports), { ...(await resolveConfig(PAGE)), filepath: PAGE });
if (!process.argv.includes('--check')) writeFileSync(PAGE, page);
else if (readFileSync(PAGE, 'utf8') !== page) {
  console.error('docs/faults.md is not what faults/results give. Run `npm run faults:docs`.');
  process.exitCode = 1;
}
