/** Runs that wait on people, each way in which their calls are settled. */
import type { RunHandle } from '../../src/client.ts';
import type { Script, Step } from '../../src/emulator/index.ts';
import { askCustomer, sendGift } from '../support/people-tools.ts';
import { call } from '../support/recording-tools.ts';
import { until } from '../support/until.ts';
import type { Shape } from './shape.ts';

const each = (...attempts: readonly (readonly Step[])[]): Script => ({
  attempts: attempts.map((steps) => ({ steps })),
});
const gift: Step = { call: [call('send_gift', { order_id: '7' })] };
const answer: Step = { answer: '{{outputs}}' };

type Decide = (handle: RunHandle, call: Awaited<ReturnType<RunHandle['waiting']>>[number]) => Promise<void>;

async function decideFirst(handle: RunHandle, decide: Decide): Promise<void> {
  for (;;) {
    const [waiting] = await handle.waiting().catch(() => []);
    if (waiting !== undefined) return decide(handle, waiting);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Opens the gate of `two-unknown-beside-a-wait`. */
let open: () => void = () => undefined;

const decided = ['WorkflowExecutionUpdateCompleted'];

export const PEOPLE: readonly Shape[] = [
  {
    name: 'approved',
    wires: ['assistants', 'responses'],
    script: each([gift, answer]),
    options: { tools: [sendGift()] },
    act: (handle) => decideFirst(handle, (run, waiting) => run.approve(waiting, { by: 'maria' })),
    ends: null,
    shows: [...decided, 'send_gift'],
  },
  {
    name: 'rejected-twice',
    wires: ['assistants'],
    script: each([gift, gift, answer]),
    options: { tools: [sendGift()] },
    act: (handle) => decideFirst(handle, (run, waiting) => run.reject(waiting, { reason: 'No gifts.' })),
    ends: null,
    shows: decided,
    lacks: ['send_gift'],
  },
  {
    name: 'approved-after-expiry',
    wires: ['assistants'],
    script: each([gift, answer], [gift, answer]),
    options: { tools: [sendGift()], emulator: { expiresAfterMs: 1_000 } },
    act: async (handle, { drive }) => {
      await drive.emulator.waitFor((entry) => entry.kind === 'status' && entry.to === 'expired');
      await decideFirst(handle, (run, waiting) => run.approve(waiting));
    },
    ends: null,
    shows: [...decided, 'send_gift'],
  },
  {
    name: 'answered-by-service',
    wires: ['responses'],
    script: each([{ call: [call('ask_customer', { question: 'Which?' })] }, answer]),
    options: { tools: [askCustomer] },
    act: (handle) => decideFirst(handle, (run, waiting) => run.answer(waiting, 'The blue one.')),
    ends: null,
    shows: decided,
  },
  {
    // Where somebody is asked, each asks first whether the task is its own, by a local step: one after the other.
    name: 'two-unknown-beside-a-wait',
    wires: ['assistants'],
    script: each([
      {
        call: [
          call('send_gift', { order_id: '7' }),
          ...['7', '8'].map((order_id) => call('refund_order', { order_id, cents: 100, note: 'throw' })),
        ],
      },
      answer,
    ]),
    options: { tools: [sendGift()] },
    prepare: ({ shop }) => {
      shop.lookup = 'done';
      shop.gate = new Promise((resolve) => (open = resolve));
    },
    act: (handle) =>
      decideFirst(handle, async (run, waiting) => {
        open();
        await until(async () => (await run.progress()).unsettled_effects.length === 0 || undefined);
        await run.approve(waiting);
      }),
    ends: null,
    shows: [...decided, 'send_gift', 'drover.lookupEffect', 'patch one-local-step'],
  },
  {
    name: 'mcp-approved',
    wires: ['assistants', 'responses'],
    script: each([
      { approve: [{ server_label: 'shop', name: 'buy', arguments: { item: 7 } }] },
      { answer: 'Bought.' },
    ]),
    act: (handle) => decideFirst(handle, (run, waiting) => run.approve(waiting)),
    ends: null,
    shows: decided,
  },
  {
    name: 'undecided',
    wires: ['assistants'],
    script: each([gift, answer]),
    options: { tools: [sendGift({ timeout: '500 milliseconds', onTimeout: 'end' })] },
    ends: 'undecided',
    shows: ['TimerFired', 'drover.cancelRun'],
    lacks: ['send_gift'],
  },
  {
    name: 'undecided-beside-a-wait',
    wires: ['assistants'],
    script: each([
      { call: [call('send_gift', { order_id: '7' }), call('ask_customer', { question: 'Which?' })] },
    ]),
    options: { tools: [sendGift({ timeout: '500 milliseconds', onTimeout: 'end' }), askCustomer] },
    ends: 'undecided',
    shows: ['patch end-closes-round', 'TimerCanceled'],
  },
];
