/** Makes faults at random moments until it is told to stop, and then puts everything right again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { KillWindow } from '../nemesis-journal.ts';
import type { RunPlan } from '../plan.ts';
import { Random } from '../random.ts';
import type { Stage } from '../stage.ts';
import { disturbActivity } from './activities.ts';
import { Aim } from './aim.ts';
import { drawFault } from './provider.ts';
import { Working } from './working.ts';

export interface NemesisOptions {
  readonly stage: Stage;
  readonly plans: readonly RunPlan[];
  readonly seed: number;
  readonly forMs: number;
  /** Runs that are under way. */
  readonly open: () => readonly string[];
}

export interface Nemesis {
  /** Resolves once its time is over and all is whole again. Rejects where Temporal's server does not come back. */
  readonly done: Promise<void>;
}

/** Mean times between deeds of one kind, in milliseconds. */
const EVERY = {
  kill: 2_800,
  stop: 14_000,
  terminate: 20_000,
  activity: 2_500,
  provider: 1_200,
  server: 68_000,
} as const;
/** How long a moment is waited for before a kill falls where it may. */
const PATIENCE_MS = 15_000;
/** How often it is seen whether a kill is due: a machine that is slow gets as many. */
const DUE_MS = 700;
/** The rarer a moment comes by itself, the more often it is waited for. */
const AIMS: readonly (readonly [weight: number, window: KillWindow | null])[] = [
  [6, 'create'],
  [2, 'effect'],
  [4, 'submit'],
  [2, 'wait'],
  [1, 'workflow_task'],
  [3, 'continue_as_new'],
  [1, null],
];
/** Past the heartbeat timeout of five seconds. */
const STOP_MS = [5_500, 9_000] as const;

export function startNemesis(options: NemesisOptions): Nemesis {
  const { stage, plans, seed, forMs, open } = options;
  const { pool, emulator } = stage;
  const over = AbortSignal.timeout(forMs);
  const pending = new Set<Promise<unknown>>();
  const aim = new Aim(stage, plans, new Random(seed, -10));
  const working = new Working(stage);

  const beside = (deed: Promise<unknown>): void => {
    const held = deed.catch((error: unknown) => stage.log(String(error))).finally(() => pending.delete(held));
    pending.add(held);
  };

  /** Each kind draws from a stream of its own: how long one takes moves no other. */
  const repeat = async (
    stream: number,
    meanMs: number,
    deed: (random: Random) => Promise<void>,
  ): Promise<void> => {
    const random = new Random(seed, stream);
    for (;;) {
      await sleep(random.interval(meanMs), undefined, { signal: over }).catch(() => undefined);
      if (over.aborted) return;
      await deed(random);
    }
  };

  const someone = (random: Random): number | null => {
    const running = pool.running();
    return running.length === 0 ? null : random.pick(running);
  };

  let kills = 0;
  const kill = async (random: Random): Promise<void> => {
    if (kills >= (Date.now() - begun) / EVERY.kill) return;
    kills += 1;
    if (!(await killOne(random))) kills -= 1;
  };
  const killOne = async (random: Random): Promise<boolean> => {
    const window = random.weighted(AIMS);
    const aimed = window === null ? null : await aim.await(window, PATIENCE_MS);
    if (over.aborted) return false;
    // Two kills may have waited for one worker: the second takes another.
    const hit = aimed !== null && pool.kill(aimed);
    const pid = hit ? aimed : someone(random);
    if (pid === null || (!hit && !pool.kill(pid))) return false;
    stage.note({ kind: 'worker_killed', pid, aimed: hit ? window : null });
    return true;
  };

  const stop = async (random: Random): Promise<void> => {
    const pid = someone(random);
    if (pid === null || pool.running().length < 2 || !pool.stop(pid)) return;
    stage.note({ kind: 'worker_stopped', pid });
    await sleep(random.int(...STOP_MS));
    if (pool.resume(pid)) stage.note({ kind: 'worker_resumed', pid });
  };

  const restarts = async (): Promise<void> => {
    const random = new Random(seed, -15);
    const count = Math.max(1, Math.round(forMs / EVERY.server));
    const each = forMs / count;
    for (let n = 0; n < count; n += 1) {
      const wait = each * (n + 0.2 + 0.6 * random.fraction()) - (Date.now() - begun);
      await sleep(Math.max(wait, 0), undefined, { signal: over }).catch(() => undefined);
      if (over.aborted) return;
      await stage.restartServer(random.int(0, 2_000));
    }
  };

  const begun = Date.now();
  const loops = [
    repeat(-11, DUE_MS, (random) => Promise.resolve(beside(kill(random)))),
    repeat(-12, EVERY.stop, stop),
    repeat(-13, EVERY.terminate, (random) => {
      const pid = someone(random);
      if (pid !== null && pool.terminate(pid)) stage.note({ kind: 'worker_terminated', pid });
      return Promise.resolve();
    }),
    repeat(-14, EVERY.activity, (random) =>
      Promise.resolve(beside(disturbActivity(stage, open(), { random, working }))),
    ),
    repeat(-16, EVERY.provider, (random) => Promise.resolve(emulator.addFault(drawFault(random)))),
    restarts(),
  ];
  const end = async (): Promise<void> => {
    await Promise.all(loops);
    emulator.clearFaults();
    await Promise.all(pending);
    aim.close();
    working.close();
    // A kill that was still waited for may have had an answer held back.
    emulator.clearFaults();
  };
  return { done: end() };
}
