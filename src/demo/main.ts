/** `node src/demo/main.ts`: the demo without the command line around it. */
import { runDemo } from './run-demo.ts';

const command = process.argv.includes('--keep') ? { keep: true } : {};
process.exit(await runDemo(command));
