/** `drover demo`: plays its runs on a real Temporal server, and judges them by the journals. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createOutput } from '../cli/output.ts';
import type { Output } from '../cli/output.ts';
import { isConfigError } from '../config-error.ts';
import { isDroverError } from '../errors.ts';
import { listenForStop, whenAborted } from '../stop-signals.ts';
import type { StopSignals } from '../stop-signals.ts';
import { DemoError } from './demo-error.ts';
import { playAll, startCast } from './play.ts';
import type { Cast, Verdict } from './play.ts';
import { printFindings, printLinks, printTable } from './print-verdicts.ts';
import { createProgress } from './progress.ts';
import { SCENARIOS } from './scenarios.ts';
import { setStage } from './stage.ts';
import type { Stage } from './stage.ts';

export interface RunDemoOptions {
  /** Stays up after the last run, until Ctrl-C. @default false */
  readonly keep?: boolean;
  /** Configuration file of the workers. @default the demo's own */
  readonly config?: string;
  /** How the CLI is called here, for commands to try. @default 'npx drover' */
  readonly command?: string;
}

const EXIT = { well: 0, failed: 1, interrupted: 130 } as const;
/** How long a call waits for somebody who reads along, and where nobody does. In milliseconds. */
const PATIENCE_AT_TERMINAL_MS = 15_000;
const PATIENCE_ALONE_MS = 3_000;
/** How long the work may take to see that it was stopped, in milliseconds. */
const NOTICE_MS = 1_000;
/** How long a start that was interrupted, and a stop, may take. Past it the rest is killed. In milliseconds. */
const UNDO_MS = 15_000;

interface Demo {
  readonly options: RunDemoOptions;
  readonly output: Output;
  readonly stop: StopSignals;
}

/**
 * Plays the demo. Nothing that it started outlives it.
 *
 * @returns the exit code: 0 where each run ended as it should, 1 where one did not or a part failed, 130
 *   where it was stopped
 */
export async function runDemo(options: RunDemoOptions = {}): Promise<number> {
  const demo: Demo = { options, output: createOutput(), stop: listenForStop() };
  const { output, stop } = demo;
  output.out(`${SCENARIOS.length} runs at once, on a real Temporal server and a scripted model.`);
  output.out('');
  for (const line of plot(output)) output.out(line);
  output.out('');
  output.out('Starting a Temporal server and the emulator …');
  const starting = setStage({
    config: options.config,
    onProgress: (message) => output.out(sentence(message)),
  });
  // Where it fails nobody else may be listening by then.
  starting.catch(() => undefined);
  let code: number = EXIT.failed;
  try {
    code = await untilStopped(perform(demo, starting), stop);
  } catch (error) {
    if (!isExpected(error)) throw error;
    output.note(`${output.noteTone('bad', 'demo:')} ${error.message}`);
  } finally {
    await takeDown(demo, starting, code);
    stop.close();
  }
  return code;
}

/** What each run is for. */
function plot(output: Output): readonly string[] {
  const width = Math.max(...SCENARIOS.map(({ name }) => name.length));
  return SCENARIOS.map(
    ({ name, wire, about }) => `  ${output.tone('strong', name.padEnd(width))}  ${wire.padEnd(10)}  ${about}`,
  );
}

const sentence = (message: string): string => message.charAt(0).toUpperCase() + message.slice(1);

function isExpected(error: unknown): error is Error {
  return error instanceof DemoError || isConfigError(error) || isDroverError(error);
}

/** The work's code, or the one of an interruption where the work does not end for it. */
async function untilStopped(work: Promise<number>, { signal }: StopSignals): Promise<number> {
  const stopped = whenAborted(signal).then(async () => {
    const ended = work.catch(() => EXIT.interrupted);
    return await Promise.race([ended, sleep(NOTICE_MS, EXIT.interrupted, { ref: false })]);
  });
  return await Promise.race([work, stopped]).catch((error: unknown) => {
    if (signal.aborted) return EXIT.interrupted;
    throw error;
  });
}

async function perform(demo: Demo, starting: Promise<Stage>): Promise<number> {
  const { options, output, stop } = demo;
  const stage = await starting;
  output.out(stage.uiUrl === null ? `Temporal is at ${stage.address}` : `Temporal UI is at ${stage.uiUrl}`);
  output.out('Starting two workers …');
  const cast = await startCast(stage);
  output.out('');
  const verdicts = await playAll(stage, cast, {
    signal: stop.signal,
    patienceMs: process.stdout.isTTY ? PATIENCE_AT_TERMINAL_MS : PATIENCE_ALONE_MS,
    command: options.command ?? 'npx drover',
    startProgress: (since) =>
      createProgress({ stream: process.stdout, scenarios: SCENARIOS, since, tone: output.tone }),
  });
  if (stop.signal.aborted) return EXIT.interrupted;
  const code = report(demo, stage, verdicts);
  if (options.keep === true) await stay(demo, stage, cast, verdicts);
  return code;
}

function report({ options, output }: Demo, stage: Stage, verdicts: readonly Verdict[]): number {
  printTable(verdicts, output);
  printLinks(verdicts, stage, output);
  if (options.keep !== true && stage.uiUrl !== null) {
    output.out(
      output.tone('quiet', '  They close with the demo; `npm run demo -- --keep` leaves them open.'),
    );
  }
  printFindings(verdicts, output);
  return verdicts.every(({ findings }) => findings.length === 0) ? EXIT.well : EXIT.failed;
}

/** Keeps all of it up, and says what there is to see. */
async function stay(
  { options, output, stop }: Demo,
  stage: Stage,
  { steady }: Cast,
  verdicts: readonly Verdict[],
): Promise<void> {
  const command = options.command ?? 'npx drover';
  const shown = verdicts.find(({ scenario }) => scenario.name === 'expire')?.runId ?? '';
  const lines = [
    '',
    'Everything stays up. Have a look round:',
    '',
    ...(stage.uiUrl === null ? [] : [`  Temporal UI  ${stage.uiUrl}`]),
    `  Provider     ${stage.emulator.adminUrl}/journal`,
    `  Journals     ${stage.folder}`,
    `  A run        TEMPORAL_ADDRESS=${stage.address} ${command} show ${shown}`,
    '',
    'Ctrl-C stops all of it.',
  ];
  for (const line of lines) output.out(line);
  await Promise.race([whenAborted(stop.signal), stage.serverGone, steady.exited]);
  if (!stop.signal.aborted) throw new DemoError('The Temporal server or a worker ended by itself.');
}

async function takeDown({ output, stop }: Demo, starting: Promise<Stage>, code: number): Promise<void> {
  if (stop.signal.aborted) output.out('Stopping …');
  const late = sleep(UNDO_MS, null, { ref: false });
  const stage = await Promise.race([starting.catch(() => null), stop.forced.then(() => null), late]);
  if (stage === null) return;
  // Nobody waits for runs that were stopped, nor for their tools.
  if (code === EXIT.interrupted) stage.killWorkers();
  await Promise.race([stage.stop(), stop.forced, late]);
  stage.killWorkers();
  if (code !== EXIT.failed) stage.tidy();
  else output.note(`Its journals and its workers' log: ${stage.folder}`);
}
