/** What the emulator's models do in `drover dev`, with the tools of this repository's `examples/`. */
import type { Script } from '../emulator/index.ts';

/** Long enough for a person to see it in Temporal UI, and to kill the worker meanwhile. In milliseconds. */
const THINK_MS = 2_000;

export const DEV_SCRIPTS: Readonly<Record<string, Script>> = {
  support: {
    attempts: [
      {
        steps: [
          { think_ms: THINK_MS },
          { call: [{ name: 'get_order', arguments: { order_id: '1042' } }] },
          { think_ms: THINK_MS },
          { call: [{ name: 'refund_order', arguments: { order_id: '1042', cents: 4_900 } }] },
          { think_ms: THINK_MS },
          { answer: 'I looked at the order, {{output.get_order}}, and refunded it: {{output.refund_order}}' },
        ],
      },
    ],
  },
  weather: {
    attempts: [
      {
        steps: [
          { think_ms: THINK_MS },
          {
            call: [
              { name: 'get_weather', arguments: { city: 'Berlin' } },
              { name: 'get_time', arguments: { time_zone: 'Europe/Berlin' } },
            ],
          },
          { think_ms: THINK_MS },
          { answer: 'In Berlin: {{outputs}}' },
        ],
      },
    ],
  },
};

/** Assistants of the emulator on the Assistants wire. */
export const DEV_ASSISTANTS = [{ id: 'support-assistant', model: 'support' }] as const;
