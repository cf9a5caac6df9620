/** A worker that is full of secrets, and runs that go well and badly: where the secrets, and what was said, stand. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RunClient } from '../../src/client.ts';
import type { RunResult } from '../../src/contract.ts';
import { startEmulator } from '../../src/emulator/index.ts';
import type { Emulator } from '../../src/emulator/index.ts';
import { encryptingCodec, encryptingConverter } from '../support/encrypting-codec.ts';
import { countIn, openTexts, rawEvents, textsIn, type RawEvent } from '../support/raw-history.ts';
import { MCP, PLAYED } from '../support/secrecy-scenes.ts';
import type { AtWork, Scene } from '../support/secrecy-scenes.ts';
import { SAID, SECRETS } from '../support/secrecy.config.ts';
import { connectTestEnv, type TestEnv } from '../support/temporal-server.ts';
import { startLoggedWorker, type LoggedWorker } from '../support/worker-process.ts';

const CONFIG = fileURLToPath(new URL('../support/secrecy.config.ts', import.meta.url));

/** As they are, as JSON, percent-encoded, and as base64. */
const spellings = (secret: string): readonly string[] => [
  secret,
  encodeURIComponent(secret),
  Buffer.from(secret).toString('base64').replaceAll('=', ''),
];
const NO_KEY = 'there is no key in this worker..';
const spelledKey = (key: Buffer): readonly string[] => [
  key.toString('hex'),
  key.toString('base64'),
  key.toString('base64url'),
  [...key].join(','),
  // As it is, where it is text; bytes that are none are read as UTF-8 by those who look for it.
  key.toString('utf8'),
];
const secretsIn = (value: unknown): readonly string[] =>
  Object.entries(SECRETS).flatMap(([name, secret]) =>
    spellings(secret).some((text) => countIn(value, text) > 0) ? [name] : [],
  );
const saidIn = (value: unknown): readonly string[] =>
  Object.values(SAID).filter((said) => countIn(value, said) > 0);

interface Played {
  readonly result: RunResult;
  readonly events: readonly RawEvent[];
  /** As Temporal shows it while the run is at work. */
  readonly atWork: readonly unknown[];
  /** And after it has ended. */
  readonly described: readonly unknown[];
  /** What the service caught, its causes included. */
  readonly error: unknown;
}

describe.each(['plainly', 'by a codec'] as const)('with payloads kept %s', (kept) => {
  const codecKey = kept === 'by a codec' ? randomBytes(32) : null;
  let env: TestEnv;
  let folder: string;
  let journalFile: string;
  let emulator: Emulator;
  let worker: LoggedWorker;
  let runs: RunClient;
  const played = new Map<string, Played>();

  beforeAll(async () => {
    env = await connectTestEnv();
    folder = await mkdtemp(join(tmpdir(), 'drover-secrecy-'));
    journalFile = join(folder, 'provider.jsonl');
    emulator = await startEmulator({ apiKey: SECRETS.apiKey, journalFile });
    emulator.createAssistant({ id: 'asst_bot', model: 'bot' });
    const taskQueue = env.unique('queue');
    worker = startLoggedWorker({
      ...env.processEnv,
      DROVER_CONFIG: CONFIG,
      DROVER_TASK_QUEUE: taskQueue,
      DROVER_EMULATOR_URL: emulator.url,
      DROVER_LOG_LEVEL: 'trace',
      DROVER_TEST_CODEC_KEY: codecKey?.toString('hex') ?? '',
    });
    const client =
      codecKey === null ? env.client : env.clientWith(encryptingConverter(encryptingCodec(codecKey)));
    runs = new RunClient({ client, taskQueue });
    await worker.ready;
    for (const [label, backend, scene] of PLAYED)
      played.set(`${label} ${backend}`, await play(backend, scene));
    await worker.stop();
  });
  afterAll(async () => {
    worker.kill('SIGKILL');
    await worker.exited;
    await emulator.close();
    await env.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function play(backend: string, scene: Scene): Promise<Played> {
    emulator.clearFaults();
    emulator.setQuirks(scene.quirks ?? []);
    emulator.setScript('bot', { attempts: [{ steps: scene.steps }] });
    if (scene.fault) emulator.addFault(scene.fault);
    const id = env.unique('secrecy');
    const handle = await runs.start(
      {
        assistant_id: 'bot',
        backend,
        input: SAID.prompt,
        instructions: SAID.instructions,
        context: { tenant: SAID.context },
        ...scene.request,
      },
      { id },
    );
    const described: unknown[] = [];
    const atWork: unknown[] = [];
    const look: AtWork['look'] = async () => {
      const { raw } = await handle.workflow.describe();
      atWork.push(raw);
      return raw;
    };
    await scene.meanwhile?.({ handle, emulator, look });
    const error: unknown = await handle.result().catch((thrown: unknown) => thrown);
    const result = await handle.outcome();
    const { raw, staticDetails, staticSummary } = await handle.workflow.describe();
    const metadata = await env.client.workflowService.queryWorkflow({
      namespace: env.namespace,
      execution: { workflowId: id },
      query: { queryType: '__temporal_workflow_metadata' },
    });
    described.push(raw, metadata, { summary: await staticSummary(), details: await staticDetails() });
    return { result, error, described, atWork, events: await rawEvents(env.client, id) };
  }

  const sceneOf = (label: string, backend: string): Played => {
    const found = played.get(`${label} ${backend}`);
    if (found === undefined) throw new Error(`${label} was not played on ${backend}.`);
    return found;
  };

  test.each(PLAYED)('a run that %s (%s) ends as it should', (label, backend, { code }) => {
    expect(sceneOf(label, backend).result.code).toBe(code);
  });

  test.each(PLAYED)(
    'a run that %s (%s) leaves no secret in Temporal or with the service',
    (label, backend) => {
      const { events, atWork, described, result, error } = sceneOf(label, backend);
      expect({
        events: secretsIn(events),
        atWork: secretsIn(atWork),
        described: secretsIn(described),
        result: secretsIn(result),
        error: secretsIn(errorTexts(error)),
      }).toEqual({ events: [], atWork: [], described: [], result: [], error: [] });
    },
  );

  test.each(PLAYED)(
    'a run that %s (%s) says in no message, id or attribute what was said',
    (label, backend) => {
      const { events, atWork, described, error } = sceneOf(label, backend);
      expect({
        // Failures, ids, names, summaries and search attributes: all but the payloads of the run itself.
        events: saidIn(openTexts(events)),
        atWork: saidIn(openTexts(atWork)),
        described: saidIn(described),
        error: saidIn(errorTexts(error, 1)),
      }).toEqual({ events: [], atWork: [], described: [], error: [] });
    },
  );

  test('the marks can be found: what was said stands in the payloads, where those are kept plainly', () => {
    const { events } = sceneOf('goes well', 'responses');
    const found = [SAID.prompt, SAID.arguments, SAID.output, SAID.answer].every(
      (said) => countIn(events, said) > 0,
    );
    expect(found).toBe(kept === 'plainly');
    // What is open is read as well: names of activities, and summaries in their payloads.
    expect(openTexts(events)).toContain('speaks');
    expect(openTexts(events).some((text) => text.includes('attempt 1'))).toBe(kept === 'plainly');
  });

  test('what was said can be found at work, too: a heartbeat holds it, and only in its payload', () => {
    const { atWork } = sceneOf('is looked at while its tool works', 'responses');
    expect(countIn(atWork, SAID.progress) > 0).toBe(kept === 'plainly');
  });

  test('the secrets were needed: the provider was given them', () => {
    const bodies = emulator.journal().flatMap((entry) => (entry.kind === 'request' ? [entry.body] : []));
    expect(secretsIn(bodies)).toEqual(expect.arrayContaining(['header', 'fetched']));
  });

  test('the tool comes back as it was, with its secrets masked', () => {
    const shown = {
      ...MCP,
      headers: { Authorization: '[redacted]', 'X-Shop': '[redacted]' },
    };
    for (const label of ['sends secrets in a tool', 'is cancelled with secrets in a tool']) {
      expect(sceneOf(label, 'responses').result.run.tools).toContainEqual(shown);
    }
  });

  test('the emulator’s journal shows no key of a header', () => {
    const headers = emulator.journal().flatMap((entry) => (entry.kind === 'request' ? [entry.headers] : []));
    expect(headers.length).toBeGreaterThan(0);
    expect(secretsIn(headers)).toEqual([]);
  });

  test('nor does the file that it leaves behind hold any secret, those of tools included', async () => {
    const lines = (await readFile(journalFile, 'utf8')).trimEnd().split('\n');
    expect(lines.length).toBe(emulator.journal().length);
    expect(lines.filter((line) => secretsIn(line).length > 0)).toEqual([]);
    expect(lines.some((line) => line.includes('"headers":"[redacted]"'))).toBe(true);
  });

  test('the key of the codec stands nowhere in Temporal, nor with the service', () => {
    const key = codecKey ?? Buffer.from(NO_KEY);
    const found = [...played.values()].flatMap((one) =>
      spelledKey(key).filter((text) =>
        [one.events, one.described, one.result, errorTexts(one.error)].some(
          (held) => countIn(held, text) > 0,
        ),
      ),
    );
    expect(found).toEqual([]);
  });

  test('no log line of the worker, at its most talkative, has a secret or anything that was said', () => {
    expect(worker.lines.length).toBeGreaterThan(50);
    expect(worker.lines.filter((line) => secretsIn(line).length > 0)).toEqual([]);
    expect(worker.lines.filter((line) => saidIn(line).length > 0)).toEqual([]);
    const asText = spelledKey(codecKey ?? Buffer.from(NO_KEY));
    expect(worker.lines.filter((line) => asText.some((text) => line.includes(text)))).toEqual([]);
  });

  test('a request with a secret of its own is refused by words that do not repeat it', async () => {
    const tool = { ...MCP, headers: { Authorization: SECRETS.header } };
    const error: unknown = await runs
      .start({ assistant_id: 'bot', input: SAID.prompt, temperature: 9, tools: [tool] })
      .catch((thrown: unknown) => thrown);
    expect(String(error)).toContain('literal secret');
    expect([secretsIn(errorTexts(error)), saidIn(errorTexts(error))]).toEqual([[], []]);
  });
});

/** All that an error says, its causes included; `depth` 1: its own message and stack. */
function errorTexts(error: unknown, depth = 8): readonly string[] {
  if (!(error instanceof Error) || depth === 0) return [];
  const own = [error.name, error.message, error.stack ?? ''];
  return [
    ...own,
    ...(depth > 1 ? textsIn(Object.fromEntries(Object.entries(error))) : []),
    ...errorTexts(error.cause, depth - 1),
  ];
}
