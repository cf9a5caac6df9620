/** Flows side by side, with local activities and what follows them: by Drover's rule for them, and plainly. */
import { condition, scheduleActivity, scheduleLocalActivity, sleep } from '@temporalio/workflow';
import { localStep } from '../../src/workflows/local-step.ts';
import { until } from '../../src/workflows/quiet.ts';

const OPTIONS = { startToCloseTimeout: '10 seconds', retry: { maximumAttempts: 1 } } as const;

interface Means {
  readonly step: (activity: string, args: readonly unknown[], options: typeof OPTIONS) => Promise<unknown>;
  readonly until: (holds: () => boolean) => Promise<void>;
}

const RULED: Means = { step: localStep, until };
const PLAIN: Means = {
  step: (activity, args, options) => scheduleLocalActivity(activity, [...args], options),
  until: condition,
};

const pause = (ms: number): Promise<unknown> =>
  scheduleActivity('pause', [ms], { startToCloseTimeout: '10 seconds' });

/** What follows an end takes its time, but no news. */
async function detour(): Promise<void> {
  for (let n = 0; n < 20; n += 1) await Promise.resolve();
}

/** Two local activities, of which one ends before the other. */
async function twoSteps({ step }: Means): Promise<void> {
  const longWay = async (): Promise<void> => {
    await step('pause', [20], OPTIONS);
    await detour();
    await pause(1);
  };
  const shortWay = async (): Promise<void> => {
    await step('pause', [200], OPTIONS);
    await sleep(10);
  };
  await Promise.all([longWay(), shortWay()]);
}

/** A local activity that outlasts its workflow task, so that the next task brings other news, of two flows, before its end. */
async function acrossTasks({ step, until: untilTrue }: Means): Promise<void> {
  let isTold = false;
  const tells = async (): Promise<void> => {
    await scheduleActivity('endWhileLong', [], { startToCloseTimeout: '10 seconds' });
    await detour();
    isTold = true;
    await pause(1);
  };
  const isToldOf = async (): Promise<void> => {
    await untilTrue(() => isTold);
    await detour();
    await pause(1);
  };
  const steps = async (): Promise<void> => {
    await step('long', [2_400], OPTIONS);
    await sleep(10);
  };
  const others = Promise.all([tells(), isToldOf()]);
  // The activity stands in the history before the local one begins.
  await sleep(10);
  await Promise.all([others, steps()]);
}

export const twoStepsRuled = (): Promise<void> => twoSteps(RULED);
export const twoStepsPlain = (): Promise<void> => twoSteps(PLAIN);
export const acrossTasksRuled = (): Promise<void> => acrossTasks(RULED);
export const acrossTasksPlain = (): Promise<void> => acrossTasks(PLAIN);

/** One step alone, which has nothing to wait for, whatever other workflows of its worker do. */
export async function oneStepRuled(): Promise<void> {
  await localStep('pause', [500], OPTIONS);
}
