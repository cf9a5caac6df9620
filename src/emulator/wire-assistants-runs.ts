/** Assistants wire: runs and their steps. */
import { addMessage, makeThread } from './assistants-objects.ts';
import { cancelRun, createRun, look, submitOutputs } from './assistants-run.ts';
import * as bodies from './body-assistants.ts';
import { pageOf } from './paging.ts';
import { bendRun } from './quirks.ts';
import { LIST_QUERY, route } from './route.ts';
import type { Call, Route } from './route.ts';
import { findAssistant, findThread, lookUp, modify } from './wire-assistants.ts';
import type { Run, World } from './world.ts';

function findRun(call: Call<unknown>): Run {
  const id = call.params['run_id'] ?? '';
  const found = findThread(call).runs.find((run) => run.id === id);
  return look(call.world, lookUp(call.world, found, 'run_id', id, 'run'));
}

const view = (world: World, run: Run): unknown => bendRun({ ...run.object }, 'assistants', world.quirks);
const wire = 'assistants';

export const RUN_ROUTES: readonly Route[] = [
  route<bodies.ThreadAndRunBody>('POST /threads/runs', { wire, body: bodies.THREAD_AND_RUN_BODY }, (call) => {
    const { thread: threadBody, tool_resources: resources, ...body } = call.body;
    const assistant = findAssistant(call.world, body.assistant_id);
    const thread = makeThread(call.world, { tool_resources: resources, ...threadBody });
    for (const message of threadBody?.messages ?? []) addMessage(call.world, thread, message);
    return view(call.world, createRun(call.world, thread, assistant, body));
  }),
  route<bodies.RunBody>('POST /threads/{thread_id}/runs', { wire, body: bodies.RUN_BODY }, (call) => {
    const thread = findThread(call);
    for (const run of thread.runs) look(call.world, run);
    const assistant = findAssistant(call.world, call.body.assistant_id);
    return view(call.world, createRun(call.world, thread, assistant, call.body));
  }),
  route('GET /threads/{thread_id}/runs', { wire, query: LIST_QUERY }, (call) =>
    pageOf(findThread(call).runs, call.query, (run) => view(call.world, look(call.world, run))),
  ),
  route('GET /threads/{thread_id}/runs/{run_id}', { wire }, (call) => view(call.world, findRun(call))),
  route<bodies.MetadataBody>(
    'POST /threads/{thread_id}/runs/{run_id}',
    { wire, body: bodies.METADATA_BODY },
    (call) => {
      const run = findRun(call);
      modify(run.object, call.body);
      return view(call.world, run);
    },
  ),
  route<bodies.SubmitBody>(
    'POST /threads/{thread_id}/runs/{run_id}/submit_tool_outputs',
    { wire, body: bodies.SUBMIT_BODY },
    (call) => {
      const { world } = call;
      const run = findRun(call);
      const before = structuredClone(view(world, run));
      const after = view(world, submitOutputs(world, findThread(call), run, call.body));
      world.beforeOutputs.set(run.id, before);
      return after;
    },
  ),
  route('POST /threads/{thread_id}/runs/{run_id}/cancel', { wire }, (call) =>
    view(call.world, cancelRun(call.world, findRun(call))),
  ),
  route('GET /threads/{thread_id}/runs/{run_id}/steps', { wire, query: LIST_QUERY }, (call) =>
    pageOf(findRun(call).steps, call.query),
  ),
  route('GET /threads/{thread_id}/runs/{run_id}/steps/{step_id}', { wire }, (call) => {
    const id = call.params['step_id'] ?? '';
    const found = findRun(call).steps.find((step) => step.id === id);
    return lookUp(call.world, found, 'step_id', id, 'step');
  }),
];
