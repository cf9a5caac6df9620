/** The HTTP server: every request is journalled, meets its fault, is checked, acts, and is answered. */
import { Readable } from 'node:stream';
import Fastify from 'fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isNestedDeeper } from '../json-depth.ts';
import { answerError, exchange, nameOf, NOT_JSON } from './exchange.ts';
import type { Answer } from './exchange.ts';
import * as errors from './errors.ts';
import { WireError } from './errors.ts';
import { makeId } from './ids.ts';
import { journalHeaders } from './journal.ts';
import type { Route } from './route.ts';
import { ASSISTANTS_ROUTES } from './wire-assistants.ts';
import { RUN_ROUTES } from './wire-assistants-runs.ts';
import { CONVERSATION_ROUTES } from './wire-conversations.ts';
import { RESPONSE_ROUTES } from './wire-responses.ts';
import type { Wire, World } from './world.ts';

/** Every endpoint that the emulator has, as the official description names it. */
export const ROUTES: readonly Route[] = [
  ...ASSISTANTS_ROUTES,
  ...RUN_ROUTES,
  ...RESPONSE_ROUTES,
  ...CONVERSATION_ROUTES,
];

interface Arrival {
  readonly seq: number;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

const pathOf = (request: FastifyRequest): string => request.url.split('?')[0] ?? request.url;

function arrive(world: World, request: FastifyRequest, route: Route | null): Arrival {
  const body = request.body === NOT_JSON ? '[not JSON]' : (request.body ?? null);
  const { method } = request;
  const path = pathOf(request);
  const seq = world.journal.add({
    kind: 'request',
    wire: route?.wire ?? null,
    method,
    path,
    query: { ...(request.query as Wire) },
    body: structuredClone(body),
    headers: journalHeaders(request.headers),
  });
  return { seq, method, path, body };
}

const asksForStream = (request: FastifyRequest, body: unknown): boolean =>
  String((request.query as Wire)['stream']) === 'true' || (body as Wire | null)?.['stream'] === true;

/** The model that a request is about: its own, its assistant's, or its run's. */
function modelOf(world: World, request: FastifyRequest, body: unknown): string | null {
  const given = (typeof body === 'object' && body !== null ? body : {}) as Wire;
  if (typeof given['model'] === 'string') return given['model'];
  const params = request.params as Readonly<Record<string, string>>;
  const assistantId = given['assistant_id'] ?? params['assistant_id'];
  const assistant = typeof assistantId === 'string' ? world.assistants.get(assistantId) : undefined;
  if (assistant !== undefined) return assistant.model;
  const thread = world.threads.get(params['thread_id'] ?? '');
  const run = thread?.runs.find((held) => held.id === params['run_id']);
  return run?.object.model ?? world.responses.get(params['response_id'] ?? '')?.object.model ?? null;
}

async function* written(
  request: FastifyRequest,
  stream: NonNullable<Answer['stream']>,
): AsyncGenerator<string> {
  let count = 0;
  for await (const event of stream.events) {
    if (count === stream.cutAfter) {
      request.raw.socket.destroy();
      return;
    }
    count += 1;
    yield `event: ${(event as { readonly type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`;
  }
}

function send(request: FastifyRequest, reply: FastifyReply, answer: Answer): FastifyReply {
  const body = answer.stream === null ? answer.body : Readable.from(written(request, answer.stream));
  return reply
    .code(answer.status)
    .headers({ ...answer.headers, 'content-type': answer.contentType, 'x-request-id': makeId('req') })
    .send(body);
}

async function serve(
  world: World,
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const arrival = arrive(world, request, route);
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) gone.abort();
  });
  const { seq, method, path } = arrival;
  const strike = world.faults.strike({
    method,
    path,
    wire: route.wire,
    model: modelOf(world, request, arrival.body),
    stream: asksForStream(request, arrival.body),
  });
  const { latencyMs, answerLatencyMs, action } = strike;
  if (latencyMs > 0) await world.timers.delay(latencyMs);
  const { answer, acted, id } = await exchange(world, request, route, action, gone.signal);
  if (answerLatencyMs > 0) await world.timers.delay(answerLatencyMs);
  const isCut = answer === null || gone.signal.aborted;
  world.journal.add({
    kind: 'answer',
    request: seq,
    method,
    path,
    status: isCut ? null : answer.status,
    acted,
    id,
    delivered: !isCut && (action === null || !('malformed' in action)),
    fault: nameOf(strike),
  });
  if (answer !== null) return send(request, reply, answer);
  reply.hijack();
  request.raw.socket.resetAndDestroy();
  return reply;
}

/** Answers what reached no endpoint: an unknown path, or a body that the server did not take. */
function refuse(world: World, request: FastifyRequest, reply: FastifyReply, error: WireError): FastifyReply {
  const { seq, method, path } = arrive(world, request, null);
  const answer = answerError(world, error);
  const { status } = answer;
  world.journal.add({
    kind: 'answer',
    request: seq,
    method,
    path,
    status,
    acted: false,
    id: null,
    delivered: true,
    fault: null,
  });
  return send(request, reply, answer);
}

/** Deeper than any request of the wires; what checks and writes down a body recurses. */
const MAX_NESTING = 512;

function readBodyText(given: string): unknown {
  if (given === '') return undefined;
  try {
    const body: unknown = JSON.parse(given);
    return isNestedDeeper(body, MAX_NESTING) ? NOT_JSON : body;
  } catch {
    return NOT_JSON;
  }
}

function readJson(
  _request: FastifyRequest,
  text: string | Buffer,
  done: (e: null, v: unknown) => void,
): void {
  done(null, readBodyText(String(text)));
}

const MEBIBYTE = 1024 * 1024;

/** The server with both wires under `/v1`; it does not listen yet. */
export function buildServer(world: World): FastifyInstance {
  const app = Fastify({
    bodyLimit: 64 * MEBIBYTE,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 512 },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, readJson);
  for (const route of ROUTES)
    app.route({
      method: route.method,
      url: `/v1${route.path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
      handler: (request, reply) => serve(world, route, request, reply),
    });
  app.setNotFoundHandler((request, reply) =>
    refuse(world, request, reply, errors.unknownUrl(request.method, pathOf(request))),
  );
  app.setErrorHandler<FastifyError>((error, request, reply) =>
    refuse(world, request, reply, new WireError(error.statusCode ?? 500, error.message)),
  );
  return app;
}
