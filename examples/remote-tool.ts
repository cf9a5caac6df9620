/** A tool that another worker runs: `python/remote_tool_worker.py`, an activity of this name on this task queue. */
import { z } from 'zod';
import { defineRemoteTool } from '../src/index.ts';

export const geocode = defineRemoteTool({
  name: 'geocode',
  description: 'Where a city is: latitude and longitude in degrees.',
  parameters: z.object({ city: z.string().min(1) }),
  effect: 'none',
  activity: {
    taskQueue: process.env['PYTHON_TASK_QUEUE'] ?? 'python-tools',
    startToCloseTimeout: '10 seconds',
  },
});
