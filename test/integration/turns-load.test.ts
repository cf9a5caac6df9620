/**
 * Many services that start runs on few threads, while workers are killed. Few of them by default;
 * `DROVER_TEST_SLOW=1` has fifty services start ten runs each on five threads.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RunClient, type RunHandle } from '../../src/client.ts';
import { startEmulator, type Emulator } from '../../src/emulator/index.ts';
import { connectTestEnv, type TestEnv } from '../support/temporal-server.ts';
import { makeThread, refusals, startsOn } from '../support/threads.ts';
import { startLoggedWorker, type LoggedWorker } from '../support/worker-process.ts';

const SLOW = process.env['DROVER_TEST_SLOW'] === '1';
const [SERVICES, RUNS, THREADS, WORKERS] = SLOW ? [50, 10, 5, 3] : [10, 3, 3, 2];
const BETWEEN_KILLS_MS = SLOW ? 4_000 : 3_000;

let env: TestEnv;
let emulator: Emulator;
beforeAll(async () => {
  env = await connectTestEnv();
  emulator = await startEmulator({ scripts: { answers: { attempts: [{ steps: [{ answer: 'Said.' }] }] } } });
  emulator.createAssistant({ id: 'asst_answers', model: 'answers' });
});
afterAll(async () => {
  await emulator.close();
  await env.close();
});

interface Started {
  readonly run: RunHandle;
  readonly thread: string;
  readonly begunMs: number;
  readonly startedMs: number;
}

/** Pairs whose starts did not overlap, and which the provider saw the other way round. */
function outOfOrder(all: readonly Started[], order: readonly string[]): readonly string[] {
  const place = new Map(order.map((id, index) => [id, index]));
  const at = ({ run }: Started): number => place.get(run.id) ?? -1;
  return all.flatMap((one) =>
    all
      .filter((other) => other.thread === one.thread && other.startedMs < one.begunMs && at(other) > at(one))
      .map((other) => `${one.run.id} before ${other.run.id}`),
  );
}

test(
  `${SERVICES} services start ${RUNS} runs each on ${THREADS} threads while workers are killed`,
  { timeout: 600_000 },
  async () => {
    const taskQueue = env.unique('turns-load');
    const launch = (): LoggedWorker =>
      startLoggedWorker({
        ...env.processEnv,
        DROVER_TASK_QUEUE: taskQueue,
        DROVER_EMULATOR_URL: emulator.url,
      });
    const workers = Array.from({ length: WORKERS }, launch);
    const threads = await Promise.all(
      Array.from({ length: THREADS }, () => makeThread(emulator.url, 'assistants')),
    );
    const runs = new RunClient({ client: env.client, taskQueue });

    const service = async (number: number): Promise<readonly Started[]> => {
      const started: Started[] = [];
      for (let index = 0; index < RUNS; index += 1) {
        const thread = threads[(number + index) % THREADS]!;
        const begunMs = performance.now();
        const run = await runs.start(
          { assistant_id: 'asst_answers', backend: 'assistants', input: 'Go', thread_id: thread },
          { id: env.unique(`turn-${number}-${index}`) },
        );
        started.push({ run, thread, begunMs, startedMs: performance.now() });
      }
      return started;
    };

    let kills = 0;
    const over = new AbortController();
    const nemesis = async (): Promise<void> => {
      for (;;) {
        await sleep(BETWEEN_KILLS_MS, undefined, { signal: over.signal });
        const victim = workers.shift()!;
        victim.kill('SIGKILL');
        kills += 1;
        const next = launch();
        workers.push(next);
        await Promise.all([victim.exited, next.ready]);
      }
    };
    const killing = nemesis().catch((error: unknown) => {
      if (!over.signal.aborted) throw error;
    });
    try {
      const begun = performance.now();
      const all = (
        await Promise.all(Array.from({ length: SERVICES }, (_, number) => service(number)))
      ).flat();
      const ended = await Promise.all(all.map(({ run }) => run.outcome()));
      const seconds = Math.round((performance.now() - begun) / 1_000);
      process.stdout.write(
        `${all.length} runs on ${THREADS} threads in ${seconds} s, ${kills} workers killed\n`,
      );
      expect(kills).toBeGreaterThan(0);
      expect(ended.filter(({ code }) => code !== null)).toEqual([]);
      expect(ended.filter(({ attempts }) => attempts.length !== 1)).toEqual([]);

      const journal = emulator.journal();
      const made = journal.filter((entry) => entry.kind === 'status' && entry.from === null);
      expect(made).toHaveLength(all.length);
      const order = threads.flatMap((thread) => startsOn(journal, thread));
      expect(order.toSorted()).toEqual(all.map(({ run }) => run.id).toSorted());
      expect(outOfOrder(all, order)).toEqual([]);
      expect(refusals(journal)).toEqual([]);
    } finally {
      over.abort();
      await killing;
      for (const worker of workers) worker.kill('SIGKILL');
      await Promise.all(workers.map(({ exited }) => exited));
    }
  },
);
