import { responses } from '../../src/backends.ts';
import { defineConfig } from '../../src/index.ts';

export default defineConfig({
  backends: { openai: responses({ apiKey: () => process.env['OPENAI_API_KEY'] ?? '' }) },
  worker: {
    workerDeploymentOptions: {
      useWorkerVersioning: true,
      version: { deploymentName: 'drover', buildId: process.env['BUILD_ID'] ?? 'dev' },
      defaultVersioningBehavior: 'PINNED',
    },
  },
});
