/** The worker of the textbook loop, with the SDK's defaults. */
import { readEnvironment } from '../src/env.ts';
import { runPlainWorker } from './plain-worker.ts';
import { createTextbookActivities } from './textbook/activities.ts';

const { emulatorUrl: baseURL } = readEnvironment();

await runPlainWorker({
  workflowsPath: new URL('./textbook/workflow.ts', import.meta.url),
  activities: {
    ...createTextbookActivities({
      baseURL,
      apiKey: 'bench',
      tools: { look_up: () => Promise.resolve('found') },
    }),
  },
});
