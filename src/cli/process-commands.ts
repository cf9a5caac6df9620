/** `drover worker`, `webhooks`, `dev`, `emulator` and `doctor`: what runs on a machine. */
import { readFile } from 'node:fs/promises';
import { Option } from 'commander';
import type { Command } from 'commander';
import type { Script } from '../emulator/index.ts';
import type { Finding } from '../doctor.ts';
import type { Wake } from '../webhooks/wake.ts';
import { port } from './arguments.ts';
import { requireNamespace, withConnection, withRuns } from './connect.ts';
import type { CommonOptions } from './connect.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { UsageError } from './fail.ts';
import type { Output, Tone } from './output.ts';
import { printable } from './output.ts';
import type { Exit } from './run-commands.ts';

// Each of these loads a large part of Drover, so only the command that was asked for loads its own.

function addWorker(program: Command, exit: Exit): void {
  withConnection(program.command('worker'))
    .description('run a worker until SIGTERM or Ctrl-C; its log is JSON where standard output is no terminal')
    .option('--json', 'log as JSON on a terminal too')
    .action(async (options: CommonOptions) => {
      if (options.json === true) process.env['DROVER_LOG_FORMAT'] = 'json';
      const { runWorker } = await import('../run-worker.ts');
      const { sweepAtStart } = await import('../sweep-at-start.ts');
      exit.code = await runWorker({
        configPath: options.config,
        taskQueue: options.taskQueue,
        profile: options.profile,
        onRunning: sweepAtStart,
      });
    });
}

interface WebhooksCommandOptions extends CommonOptions {
  readonly port: number;
  readonly host: string;
  readonly wake: Wake;
}

function addWebhooks(program: Command): void {
  withConnection(program.command('webhooks'))
    .description(
      "receive the providers' webhooks until SIGTERM or Ctrl-C: a run whose attempt has ended looks at once",
    )
    .option('--port <port>', 'port; 0 takes any that is free', port, 8_788)
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .addOption(
      new Option(
        '--wake <how>',
        "reset the run's wait: no event, up to a second late on a server with default settings; or signal the run: at once, some events",
      )
        .choices(['reset', 'signal'] satisfies readonly Wake[])
        .default('reset' satisfies Wake),
    )
    .option('--json', 'log as JSON on a terminal too')
    .action(async (options: WebhooksCommandOptions) => {
      if (options.json === true) process.env['DROVER_LOG_FORMAT'] = 'json';
      const { runWebhooks, withWebhooks } = await import('../webhooks/run-webhooks.ts');
      await withRuns(options, async (connected) => {
        const { client, config } = connected;
        if (config === null)
          throw new UsageError('There is no configuration: name it by --config or DROVER_CONFIG.');
        const { backends } = config;
        if (withWebhooks(backends).length === 0)
          throw new UsageError(
            'No backend of the configuration has a `webhookSecret`: nothing can be checked.',
          );
        await requireNamespace(connected);
        try {
          await runWebhooks({ client, backends, host: options.host, port: options.port, wake: options.wake });
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
          throw new UsageError(`Port ${options.port} of ${options.host} is taken: name another by --port.`);
        }
      });
    });
}

interface DevCommandOptions {
  readonly port?: number;
  readonly uiPort?: number;
  readonly emulatorPort?: number;
  readonly db?: string;
  readonly json?: boolean;
}

function addDev(program: Command, output: Output, exit: Exit): void {
  program
    .command('dev')
    .description('run Temporal, the emulator and a worker here, until Ctrl-C')
    .option('--port <port>', "Temporal's port", port)
    .option('--ui-port <port>', "Temporal UI's port", port)
    .option('--emulator-port <port>', "the emulator's port", port)
    .option('--db <file>', 'file in which runs outlive the server')
    .option('--json', 'print each line as a JSON object')
    .action(async (options: DevCommandOptions) => {
      const { runDev } = await import('../dev/run-dev.ts');
      exit.code = await runDev({
        ...(options.port === undefined ? {} : { temporalPort: options.port }),
        ...(options.uiPort === undefined ? {} : { uiPort: options.uiPort }),
        ...(options.emulatorPort === undefined ? {} : { emulatorPort: options.emulatorPort }),
        ...(options.db === undefined ? {} : { dbFilename: options.db }),
        ...(options.json === true ? { print: (line: string) => output.json({ message: line.trim() }) } : {}),
      });
    });
}

interface EmulatorCommandOptions {
  readonly port: number;
  readonly host: string;
  readonly apiKey?: string;
  readonly scripts?: string;
  readonly journal?: string;
  readonly json?: boolean;
}

async function readScripts(path: string): Promise<Readonly<Record<string, Script>>> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Readonly<Record<string, Script>>;
  } catch (error) {
    const why = error instanceof SyntaxError ? 'it is no JSON' : (error as Error).message;
    throw new UsageError(`The scripts in ${path} cannot be read: ${why}.`);
  }
}

function addEmulator(program: Command, output: Output): void {
  program
    .command('emulator')
    .description('run the embedded provider until Ctrl-C: both wires, a scripted model, no key needed')
    .option('--port <port>', 'port; 0 takes any that is free', port, 8_787)
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--api-key <key>', 'refuse every other key (default: any key will do)')
    .option(
      '--scripts <file>',
      'JSON file: scripts by the name of the model that plays them (default: those of `drover dev`)',
    )
    .option('--journal <file>', 'file to which it appends every request and change of status')
    .option('--json', 'print the addresses as JSON')
    .action(async (options: EmulatorCommandOptions) => {
      const { startEmulator } = await import('../emulator/index.ts');
      const { listenForStop, whenAborted } = await import('../stop-signals.ts');
      const { DEV_ASSISTANTS, DEV_SCRIPTS } = await import('../dev/dev-scripts.ts');
      const scripts = options.scripts === undefined ? DEV_SCRIPTS : await readScripts(options.scripts);
      const stop = listenForStop();
      try {
        const emulator = await startEmulator({
          host: options.host,
          port: options.port,
          scripts,
          apiKey: options.apiKey ?? null,
          ...(options.journal === undefined ? {} : { journalFile: options.journal }),
        });
        for (const assistant of DEV_ASSISTANTS) emulator.createAssistant(assistant);
        if (options.json === true) output.json({ url: emulator.url, admin_url: emulator.adminUrl });
        else output.out(`Emulator at ${emulator.url}, its admin at ${emulator.adminUrl}. Ctrl-C stops it.`);
        await whenAborted(stop.signal);
        await emulator.close();
      } finally {
        stop.close();
      }
    });
}

interface DoctorCommandOptions extends CommonOptions {
  readonly fix?: boolean;
  readonly tryRuns?: boolean;
}

const MARKS = {
  ok: ['good', 'ok'],
  warn: ['warn', 'warn'],
  fail: ['bad', 'FAIL'],
} as const satisfies Record<Finding['state'], readonly [Tone, string]>;

function printFinding(found: Finding, output: Output): void {
  const [tone, mark] = MARKS[found.state];
  output.out(`${output.tone(tone, mark.padEnd(4))}  ${found.name.padEnd(18)}  ${printable(found.message)}`);
  if (found.action !== null) output.out(`${' '.repeat(26)}${output.tone('quiet', `→ ${found.action}`)}`);
}

function addDoctor(program: Command, output: Output, exit: Exit): void {
  withConnection(program.command('doctor'))
    .description('look at configuration, tools, Temporal and backends: what is wrong and what to do')
    .option('--fix', 'register the search attributes that are missing')
    .option(
      '--try-runs',
      'create one run at each backend and cancel it: shows that background mode works, costs tokens',
    )
    .option('--json', 'print a JSON array')
    .action(async (options: DoctorCommandOptions) => {
      const { examine } = await import('../doctor.ts');
      const found: Finding[] = [];
      const findings = examine({
        configPath: options.config,
        profile: options.profile,
        taskQueue: options.taskQueue,
        fix: options.fix === true,
        tryRuns: options.tryRuns === true,
      });
      for await (const one of findings) {
        found.push(one);
        if (options.json !== true) printFinding(one, output);
      }
      if (options.json === true) output.json(found);
      if (found.some(({ state }) => state === 'fail')) exit.code = EXIT_CODES.unwell.code;
    });
}

export function addProcessCommands(program: Command, output: Output, exit: Exit): void {
  addWorker(program, exit);
  addWebhooks(program);
  addDev(program, output, exit);
  addEmulator(program, output);
  addDoctor(program, output, exit);
}
