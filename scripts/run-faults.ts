/**
 * The faults of a verification: a short run of `npm run faults` that must find nothing, and must have made enough
 * faults to mean something.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTool } from './run-tool.ts';

const OPTIONS = ['--runs', '60', '--minutes', '2.5', '--seed', '1'] as const;
const LEAST = {
  worker_kills: 20,
  worker_stops: 2,
  worker_restarts: 2,
  activity_pauses: 2,
  activity_resets: 2,
  server_restarts: 1,
  provider_faults: 50,
} as const;

type Figures = Readonly<Record<keyof typeof LEAST, number>>;

const folder = await mkdtemp(join(tmpdir(), 'drover-faults-ci-'));
try {
  const file = join(folder, 'faults.json');
  const command = ['npm', 'run', '--silent', 'faults', '--', ...OPTIONS, '--json', file] as const;
  const { ok } = await runTool(command, { show: true });
  if (!ok) process.exitCode = 1;
  else {
    const seen = JSON.parse(await readFile(file, 'utf8')) as Figures;
    for (const [name, least] of Object.entries(LEAST) as [keyof Figures, number][]) {
      if (seen[name] >= least) continue;
      console.error(`${seen[name]} of at least ${least} ${name}: this run proves nothing. Run it again.`);
      process.exitCode = 1;
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
