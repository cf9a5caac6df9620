/** Runs the demo on a configuration in which nothing keeps an effect from being made again. */
import { fileURLToPath } from 'node:url';
import { runDemo } from '../../src/demo/run-demo.ts';

const config = fileURLToPath(new URL('./demo-without-ledger.config.ts', import.meta.url));
process.exit(await runDemo({ config }));
