/** The configuration of the demo's workers: the emulator on both wires, the demo's tools. */
import { assistants } from '../backends/assistants.ts';
import { responses } from '../backends/responses.ts';
import type { AssistantConfig } from '../config.ts';
import { defineConfig } from '../config.ts';
import { readEnvironment } from '../env.ts';
import { getTime, getWeather, refundOrder } from './demo-tools.ts';
import { SCENARIOS } from './scenarios.ts';

const { emulatorUrl: baseURL } = readEnvironment();

const assistantOf = ({ model, tools, wire }: (typeof SCENARIOS)[number]): AssistantConfig => ({
  backend: wire,
  model,
  tools,
});

// A configuration file's default export is what a worker loads.
// oxlint-disable-next-line import/no-default-export
export default defineConfig({
  backends: { responses: responses({ baseURL }), assistants: assistants({ baseURL }) },
  defaultBackend: 'responses',
  assistants: Object.fromEntries(SCENARIOS.map((scenario) => [scenario.model, assistantOf(scenario)])),
  tools: [getTime, getWeather, refundOrder],
  // How long a run waits for the dead worker before the next one takes it: here somebody watches.
  worker: { stickyQueueScheduleToStartTimeout: '1 second' },
});
