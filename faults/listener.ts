/** Who watches the runs whose model is listened to: goes and comes back, and writes down every word that it is told. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Driver } from './drivers/driver.ts';
import { writeHeardEntry } from './heard-journal.ts';
import type { RunPlan } from './plan.ts';
import { Random } from './random.ts';
import type { Stage } from './stage.ts';

const LISTENERS_STREAM = 4_000_000;
const AGAIN_MS = 500;

/** Until the run has ended, or `signal` fires. */
export async function listenTo(
  { stage, driver, seed }: { readonly stage: Stage; readonly driver: Driver; readonly seed: number },
  plan: RunPlan,
  signal: AbortSignal,
): Promise<void> {
  if (!plan.streamed || driver.watch === undefined) return;
  const random = new Random(seed, LISTENERS_STREAM);
  let after: string | null = null;
  while (!signal.aborted) {
    const stay = AbortSignal.any([signal, AbortSignal.timeout(random.int(500, 8_000))]);
    try {
      for await (const event of driver.watch(stage, plan, after, stay)) {
        after = event.offset;
        if (event.type === 'ended') return;
        if (event.type !== 'text_delta') continue;
        const { attempt_id, text } = event;
        writeHeardEntry(stage.files.heard, { run: plan.id, attempt_id, text });
      }
    } catch {
      // Temporal's server is down, or has not heard of the run yet.
    }
    await sleep(AGAIN_MS);
  }
}
