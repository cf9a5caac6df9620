/** The configuration of `npm run dev` and `npm run demo`: the emulator on both wires, and the example tools. */
import { exampleTools } from './examples/tools.ts';
import { assistants } from './src/backends/assistants.ts';
import { responses } from './src/backends/responses.ts';
import { defineConfig } from './src/config.ts';
import { readEnvironment } from './src/env.ts';

const { emulatorUrl: baseURL } = readEnvironment();
const tools = exampleTools.map(({ name }) => name);

export default defineConfig({
  backends: { responses: responses({ baseURL }), assistants: assistants({ baseURL }) },
  defaultBackend: 'responses',
  assistants: {
    support: { model: 'support', instructions: 'You answer for a small shop.', tools },
    weather: { model: 'weather', instructions: 'You know the weather.', tools: ['get_weather', 'get_time'] },
    'support-assistant': { backend: 'assistants', tools },
  },
  tools: exampleTools,
});
