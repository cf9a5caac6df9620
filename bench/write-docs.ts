/** `npm run bench:docs -- FILE`: keeps the figures of a bench in docs/figures and writes docs/benchmarks.md from them. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { docsPage } from './docs-page.ts';
import type { Report } from './report.ts';

const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error('Give the file that `npm run bench -- --json FILE` has written.');
  process.exit(2);
}
const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
if (report.quick) {
  console.error(
    `${file} holds figures of a quick bench, which are too few for a page. Run it without --quick.`,
  );
  process.exit(1);
}
const docs = new URL('../docs/', import.meta.url);
mkdirSync(new URL('figures/', docs), { recursive: true });
writeFileSync(new URL('figures/bench.json', docs), `${JSON.stringify(report)}\n`);
writeFileSync(new URL('benchmarks.md', docs), await docsPage(report));
