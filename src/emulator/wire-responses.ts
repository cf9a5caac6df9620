/** Responses wire: responses and their input items. */
import * as bodies from './body-responses.ts';
import { notStreamed, responseNotFound } from './errors.ts';
import { pageOf } from './paging.ts';
import { bendRun } from './quirks.ts';
import { readContext } from './responses-context.ts';
import { cancelResponse, createResponse, deleteResponse, untilEnded } from './responses-run.ts';
import { StreamedAnswer } from './responses-stream.ts';
import { route } from './route.ts';
import type { Call, Route } from './route.ts';
import type { StoredResponse, World } from './world.ts';

const wire = 'responses';

function findResponse({ world, params }: Call<unknown>): StoredResponse {
  const id = params['response_id'] ?? '';
  const found = world.responses.get(id);
  if (found === undefined) throw responseNotFound(id);
  return found;
}

const view = (world: World, response: StoredResponse): unknown =>
  bendRun({ ...response.object }, wire, world.quirks);

export const RESPONSE_ROUTES: readonly Route[] = [
  route<bodies.ResponseBody>('POST /responses', { wire, body: bodies.RESPONSE_BODY }, async (call) => {
    const { world, body, signal } = call;
    const response = createResponse(world, body);
    if (response.stream !== null)
      return new StreamedAnswer(response.id, response.stream, -1, view(world, response));
    if (!response.background || world.quirks.has('ignores_background'))
      await untilEnded(world, response, signal);
    return view(world, response);
  }),
  route('GET /responses/{response_id}', { wire, query: ['stream', 'starting_after'] }, (call) => {
    const response = findResponse(call);
    const seen = view(call.world, response);
    if (String(call.query['stream']) !== 'true') return seen;
    if (response.stream === null) throw notStreamed();
    const after = Number(call.query['starting_after'] ?? -1);
    return new StreamedAnswer(response.id, response.stream, Number.isSafeInteger(after) ? after : -1, seen);
  }),
  route('DELETE /responses/{response_id}', { wire }, (call) => {
    const response = findResponse(call);
    deleteResponse(call.world, response);
    return { id: response.id, object: 'response', deleted: true };
  }),
  route('POST /responses/{response_id}/cancel', { wire }, (call) =>
    view(call.world, cancelResponse(call.world, findResponse(call))),
  ),
  route('GET /responses/{response_id}/input_items', { wire, query: ['limit', 'order', 'after'] }, (call) =>
    pageOf(findResponse(call).input, call.query),
  ),
  route<bodies.TokensBody>(
    'POST /responses/input_tokens',
    { wire, body: bodies.TOKENS_BODY },
    ({ world, body }) => {
      const { before, input } = readContext(world, body);
      const counted = JSON.stringify([before, input, body.instructions ?? '', body.tools ?? []]);
      return { object: 'response.input_tokens', input_tokens: Math.ceil(counted.length / 4) };
    },
  ),
];
