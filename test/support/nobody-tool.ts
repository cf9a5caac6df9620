import { z } from 'zod';
import { defineTool } from '../../src/tools/define-tool.ts';

/** Its task queue has no worker. */
export const nobody = defineTool({
  name: 'nobody',
  description: 'No worker has it.',
  parameters: z.object({}),
  effect: 'once',
  activity: { taskQueue: 'nobody-listens-here', scheduleToStartTimeout: '1 second' },
  execute: () => Promise.resolve('never'),
});
