/** A run for each way to end that no shape of `shapes.ts` shows: the table of `failures.ts`, row by row. */
import { LIMITS } from '../../src/contract.ts';
import type { Fault, FaultAction, Script, Step } from '../../src/emulator/index.ts';
import { makeThread } from '../support/threads.ts';
import type { Shape } from './shape.ts';

const once = (...steps: readonly Step[]): Script => ({ attempts: [{ steps }] });
const hello: Step = { answer: 'Hello.' };
const fail = (code: string, message = 'It broke.'): Step => ({ fail: { code, message } });
const soon = { limits: { deadline_seconds: 3 } };

const onCreate = (action: FaultAction): Fault => ({
  match: { method: 'POST', path: '/\\/(?:runs|responses)$/' },
  do: action,
});
const refused = (name: string, action: FaultAction): Omit<Shape, 'ends'> => ({
  name,
  wires: ['assistants', 'responses'],
  script: once(hello),
  prepare: ({ drive }) => drive.emulator.addFault(onCreate(action)),
});

const note: Step = { call: [{ name: 'set_note', arguments: { order_id: '7' } }] };

export const ENDED_BY_CODE: readonly Shape[] = [
  {
    name: 'invalid-output',
    wires: ['assistants', 'responses'],
    script: { attempts: [{ steps: [hello] }, { steps: [hello] }] },
    request: { response_format: { type: 'json_object' }, retry: { attempts: 2 } },
    ends: 'attempts_exhausted',
  },
  {
    name: 'invalid-output-ends',
    wires: ['responses'],
    script: once(hello),
    request: { response_format: { type: 'json_object' }, retry: { invalid_output: 'end' } },
    ends: 'invalid_output',
  },
  {
    name: 'token-limit',
    wires: ['responses'],
    script: once(note, note, note, hello),
    request: { limits: { tokens: 150 } },
    ends: 'token_limit',
    shows: ['drover.cancelRun'],
  },
  {
    name: 'cost-limit',
    wires: ['assistants'],
    script: once(fail('server_error')),
    request: { limits: { cost: 0.5 }, retry: { backoff_seconds: 0.1 } },
    options: { config: { price: ({ total_tokens }) => total_tokens / 100 } },
    ends: 'cost_limit',
  },
  {
    name: 'failed-in-a-conversation',
    wires: ['responses'],
    script: once(note, fail('invalid_prompt')),
    drive: async ({ drive, wire }) => {
      const thread_id = await makeThread(drive.emulator.url, wire === 'responses' ? wire : 'assistants');
      const request = { assistant_id: 'bot', input: 'Go', thread_id };
      const handle = await drive.runs.start(request, { id: drive.id('in-a-conversation') });
      return { handle, client: drive.client, code: (await handle.outcome()).code };
    },
    ends: 'invalid_prompt',
    shows: ['patch thread-left-usable', 'drover.cancelRun'],
  },
  {
    name: 'unknown-backend',
    wires: ['responses'],
    script: once(hello),
    request: { backend: 'elsewhere' },
    ends: 'unknown_backend',
  },
  {
    name: 'unknown-assistant',
    wires: ['assistants', 'responses'],
    script: once(hello),
    request: { assistant_id: 'nobody' },
    ends: 'unknown_assistant',
  },
  {
    name: 'unknown-thread',
    wires: ['assistants'],
    script: once(hello),
    request: { thread_id: 'thread_000000000000000000000000' },
    ends: 'unknown_thread',
  },
  { ...refused('backend-rejected', { status: 400, message: 'No.' }), ends: 'backend_rejected' },
  { ...refused('backend-unavailable', { status: 503 }), request: soon, ends: 'backend_unavailable' },
  { ...refused('quota-exceeded', { status: 429, code: 'insufficient_quota' }), ends: 'quota_exceeded' },
  {
    ...refused('thread-busy', { busy: true }),
    wires: ['assistants'],
    request: soon,
    ends: 'thread_busy',
  },
  {
    name: 'expired',
    wires: ['assistants'],
    script: once({ expire: true }),
    request: { retry: { expired: 'end' } },
    ends: 'expired',
  },
  {
    name: 'gone-for-good',
    wires: ['assistants', 'responses'],
    script: once({ vanish: true }),
    request: { retry: { gone: 'end' } },
    ends: 'attempt_gone',
  },
  {
    name: 'token-budget',
    wires: ['assistants', 'responses'],
    script: once({ incomplete: 'max_completion_tokens' }),
    request: { max_completion_tokens: LIMITS.minTokens, retry: { max_completion_tokens: 'end' } },
    ends: 'token_budget',
  },
  { name: 'incomplete', wires: ['assistants'], script: once({ incomplete: 'other' }), ends: 'incomplete' },
  {
    name: 'rate-limited',
    wires: ['assistants', 'responses'],
    script: once(fail('rate_limit_exceeded', 'Rate limit reached.')),
    request: { retry: { rate_limit_exceeded: 'end' } },
    ends: 'rate_limit_exceeded',
  },
  {
    name: 'server-error',
    wires: ['assistants', 'responses'],
    script: once(fail('server_error')),
    request: { retry: { server_error: 'end' } },
    ends: 'server_error',
  },
  {
    name: 'invalid-prompt',
    wires: ['responses'],
    script: once(fail('invalid_prompt')),
    ends: 'invalid_prompt',
  },
  { name: 'run-failed', wires: ['assistants'], script: once(fail('never_heard_of')), ends: 'run_failed' },
  {
    name: 'cancelled-elsewhere',
    wires: ['assistants', 'responses'],
    script: once({ cancel: true }),
    ends: 'cancelled_elsewhere',
  },
];
