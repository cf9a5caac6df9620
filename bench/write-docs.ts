/**
 * `npm run bench:docs -- FILE [FILE…]`: keeps the figures of a bench in docs/figures and writes docs/benchmarks.md from
 * them. Scenarios of a later file, as `--only lag` writes one on the same machine and versions, take the place of the first
 * one's.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { docsPage } from './docs-page.ts';
import { mergeReports, whyApart, whyUnfit } from './report.ts';
import type { Report } from './report.ts';
import { judgeFigures } from './scenarios/index.ts';

const files = process.argv.slice(2);
const [first, ...later] = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Report);
if (first === undefined) {
  console.error('Give the file that `npm run bench -- --json FILE` has written.');
  process.exit(2);
}
for (const [index, report] of [first, ...later].entries()) {
  const why = whyUnfit(report) ?? whyApart(first, report);
  if (why === null) continue;
  console.error(`${files[index]} ${why}`);
  process.exit(1);
}
const merged = mergeReports(first, later);
const report: Report = { ...merged, targets: judgeFigures(merged.figures) };
const docs = new URL('../docs/', import.meta.url);
mkdirSync(new URL('figures/', docs), { recursive: true });
writeFileSync(new URL('figures/bench.json', docs), `${JSON.stringify(report)}\n`);
writeFileSync(new URL('benchmarks.md', docs), await docsPage(report));
