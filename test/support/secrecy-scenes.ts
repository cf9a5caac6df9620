/** The runs of the test that looks for secrets, and for what was said: each goes well or badly in a way of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowExecutionDescription } from '@temporalio/client';
import type { RunHandle } from '../../src/client.ts';
import type { RunRequest, RunResult } from '../../src/contract.ts';
import type { Emulator, Fault, Quirk, Step } from '../../src/emulator/index.ts';
import { call } from './recording-tools.ts';
import { SAID, SECRETS } from './secrecy.config.ts';

export interface AtWork {
  readonly handle: RunHandle;
  readonly emulator: Emulator;
  /** Keeps the run as Temporal shows it now, and gives it. */
  readonly look: () => Promise<WorkflowExecutionDescription['raw']>;
}

export interface Scene {
  readonly backends: readonly ('responses' | 'assistants' | 'foreground' | 'streamed')[];
  readonly steps: readonly Step[];
  readonly fault?: Fault;
  readonly quirks?: readonly Quirk[];
  readonly request?: Partial<RunRequest>;
  /** What happens while it is at work. What it shows then is looked at, too. */
  readonly meanwhile?: (atWork: AtWork) => Promise<void>;
  /** How the run ends. */
  readonly code: RunResult['code'];
}

const calls: Step = {
  call: ['speaks', 'throws', 'refuses', 'acts'].map((name) => call(name, { said: SAID.arguments })),
};
const wrongKey: Fault['do'] = { status: 401, message: `Incorrect API key provided: ${SECRETS.apiKey}.` };
const quoting = `The header ${SECRETS.header}, or ${SECRETS.fetched}, did not go with '${SAID.prompt}'.`;
export const MCP = {
  type: 'mcp',
  server_label: 'shop',
  server_url: 'https://shop.example.com/mcp',
  headers: { Authorization: { secret: 'HEADER' }, 'X-Shop': { secret: 'FETCHED' } },
} as const;
const withMcp: Partial<RunRequest> = { tools: [MCP, 'speaks', 'throws', 'refuses', 'acts'] };
const BOTH = ['responses', 'assistants'] as const;

const SCENES: Readonly<Record<string, Scene>> = {
  'goes well': { backends: [...BOTH, 'foreground'], steps: [calls, { answer: SAID.answer }], code: null },
  'sends secrets in a tool': {
    backends: ['responses', 'foreground'],
    steps: [calls, { answer: SAID.answer }],
    request: withMcp,
    code: null,
  },
  'sends secrets in a tool to a server that answers at once': {
    backends: ['responses'],
    steps: [calls, { answer: SAID.answer }],
    quirks: ['ignores_background'],
    request: withMcp,
    code: null,
  },
  'fails in words that quote': {
    backends: BOTH,
    steps: [
      calls,
      { fail: { code: 'invalid_prompt', message: `${SECRETS.header}, ${SECRETS.shaped}: '${SAID.prompt}'` } },
    ],
    code: 'invalid_prompt',
  },
  'fails with secrets in a tool': {
    backends: ['responses'],
    steps: [calls, { fail: { code: 'invalid_prompt', message: quoting } }],
    request: withMcp,
    code: 'invalid_prompt',
  },
  'is refused in words that quote': {
    backends: ['responses', 'foreground'],
    steps: [{ reject: { status: 400, message: quoting } }],
    request: withMcp,
    code: 'backend_rejected',
  },
  'is told that its key is wrong': {
    backends: [...BOTH, 'foreground'],
    steps: [{ answer: SAID.answer }],
    fault: { match: { method: 'POST' }, do: wrongKey },
    code: 'backend_auth',
  },
  'is told so while it waits': {
    backends: BOTH,
    steps: [{ hang: true }],
    // The last look before the deadline finds it well again, so that the cancel is seen to succeed.
    fault: { match: { method: 'GET' }, times: 1, do: wrongKey },
    request: { limits: { deadline_seconds: 2 } },
    code: 'deadline_exceeded',
  },
  'is listened to': { backends: ['streamed'], steps: [calls, { answer: SAID.answer }], code: null },
  'is looked at while its tool works': {
    backends: BOTH,
    steps: [{ call: [call('works', { said: SAID.arguments })] }, { answer: SAID.answer }],
    meanwhile: async ({ look }) => {
      for (;;) {
        const { pendingActivities } = await look();
        if (pendingActivities?.some(({ heartbeatDetails }) => heartbeatDetails?.payloads?.length)) return;
        await sleep(100);
      }
    },
    code: null,
  },
  'waits for somebody, who refuses': {
    backends: BOTH,
    steps: [{ call: [call('asks', { said: SAID.arguments })] }, { answer: SAID.answer }],
    meanwhile: async ({ handle, look }) => {
      for (;;) {
        const [waiting] = await handle.waiting();
        if (waiting === undefined) await sleep(100);
        else {
          await look();
          return await handle.reject(waiting, { by: 'maria', reason: SAID.reason });
        }
      }
    },
    code: null,
  },
  'is cancelled with secrets in a tool': {
    backends: ['responses'],
    steps: [{ hang: true }],
    request: withMcp,
    meanwhile: async ({ handle, emulator, look }) => {
      await emulator.waitFor(
        (entry) =>
          entry.kind === 'status' && entry.to === 'in_progress' && entry.metadata['drover_run'] === handle.id,
      );
      await look();
      await handle.cancel();
    },
    code: 'cancelled',
  },
};
export const PLAYED = Object.entries(SCENES).flatMap(([label, scene]) =>
  scene.backends.map((backend) => [label, backend, scene] as const),
);
