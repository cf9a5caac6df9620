/** Two flows side by side, each with a local activity and what follows it; only one of them at a time, or both. */
import { scheduleActivity, scheduleLocalActivity, sleep } from '@temporalio/workflow';
import { localStep } from '../../src/workflows/local-step.ts';

const OPTIONS = { startToCloseTimeout: '10 seconds', retry: { maximumAttempts: 1 } } as const;

type Step = (activity: string, args: readonly unknown[], options: typeof OPTIONS) => Promise<unknown>;

async function twoFlows(step: Step): Promise<void> {
  const longWay = async (): Promise<void> => {
    await step('pause', [20], OPTIONS);
    for (let n = 0; n < 20; n += 1) await Promise.resolve();
    await scheduleActivity('pause', [1], { startToCloseTimeout: '10 seconds' });
  };
  const shortWay = async (): Promise<void> => {
    await step('pause', [200], OPTIONS);
    await sleep(10);
  };
  await Promise.all([longWay(), shortWay()]);
}

export const oneLocalStep = (): Promise<void> => twoFlows(localStep);
export const twoLocalSteps = (): Promise<void> =>
  twoFlows((activity, args, options) => scheduleLocalActivity(activity, [...args], options));
