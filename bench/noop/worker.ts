/** The worker of the floor, with the SDK's defaults. */
import { runPlainWorker } from '../plain-worker.ts';

await runPlainWorker({
  workflowsPath: new URL('./workflow.ts', import.meta.url),
  activities: { nothing: () => Promise.resolve() },
});
