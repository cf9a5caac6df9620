/** One request and its answer: checked, acted on, and bent by the fault that strikes it. */
import type { FastifyRequest } from 'fastify';
import { readBody } from './body.ts';
import * as errors from './errors.ts';
import { WireError } from './errors.ts';
import type { FaultAction, Strike } from './faults.ts';
import { makeId } from './ids.ts';
import { bendError } from './quirks.ts';
import { StreamedAnswer } from './responses-stream.ts';
import type { Route } from './route.ts';
import type { Wire, World } from './world.ts';

/** Request headers that it reads. */
export const READ_HEADERS = ['authorization', 'openai-beta'] as const;

/** A body that is not JSON, told from one that is. */
export const NOT_JSON = Symbol('not JSON');

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly contentType: string;
  readonly acted: boolean;
  /** Of the object in the body. */
  readonly id: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent instead of the body, event by event, and cut after so many of them. */
  readonly stream: { readonly events: AsyncIterable<unknown>; readonly cutAfter: number | null } | null;
}

function checkCaller(world: World, request: FastifyRequest, route: Route): void {
  if (world.apiKey !== null && request.headers.authorization !== `Bearer ${world.apiKey}`)
    throw errors.wrongKey();
  const beta = request.headers['openai-beta'];
  if (route.wire === 'assistants' && !String(beta ?? '').includes('assistants='))
    throw errors.betaHeaderMissing();
}

function busyError(world: World, request: FastifyRequest, route: Route): WireError {
  if (route.wire === 'responses') return errors.conversationLocked();
  const params = request.params as Readonly<Record<string, string>>;
  const thread = params['thread_id'] ?? makeId('thread', world.quirks);
  const run = makeId('run', world.quirks);
  return route.path.endsWith('/messages')
    ? errors.messageWhileActive(thread, run)
    : errors.activeRun(thread, run);
}

/** An error as an answer, in the shape that the quirks give it. */
export function answerError(world: World, error: unknown): Answer {
  const wireError =
    error instanceof WireError
      ? error
      : new WireError(500, `The emulator has a fault of its own: ${String(error)}. Please report it.`);
  const { body, contentType } = bendError(wireError, world.quirks);
  return {
    status: wireError.status,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    contentType,
    acted: false,
    id: null,
    headers:
      wireError.retryAfterSeconds === null ? {} : { 'retry-after': String(wireError.retryAfterSeconds) },
    stream: null,
  };
}

function idOf(result: unknown): string | null {
  if (typeof result !== 'object' || result === null || !('id' in result)) return null;
  return typeof result.id === 'string' ? result.id : null;
}

async function act(
  world: World,
  request: FastifyRequest,
  route: Route,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    checkCaller(world, request, route);
    if (request.body === NOT_JSON) throw errors.badJson();
    const isLenient = world.quirks.has('accepts_unknown_fields');
    const body = route.body === null ? {} : readBody(route.body, request.body, isLenient);
    const params = request.params as Readonly<Record<string, string>>;
    const query = request.query as Wire;
    const result = await route.handle({ world, params, query, body, signal });
    const isStreamed = result instanceof StreamedAnswer;
    return {
      status: 200,
      body: JSON.stringify(isStreamed ? result.snapshot : result),
      contentType: isStreamed ? 'text/event-stream; charset=utf-8' : 'application/json; charset=utf-8',
      acted: true,
      id: idOf(result),
      headers: {},
      stream: isStreamed ? { events: result.stream.after(result.after, signal), cutAfter: null } : null,
    };
  } catch (error) {
    return answerError(world, error);
  }
}

function faultError(action: Extract<FaultAction, { status: number }>): WireError {
  const isRateLimit = action.status === 429;
  return new WireError(
    action.status,
    action.message ??
      (isRateLimit ? 'Rate limit reached. Try again later.' : 'The server had an error. Sorry about that!'),
    {
      type: action.type ?? (isRateLimit ? 'requests' : 'server_error'),
      code: action.code ?? (isRateLimit ? 'rate_limit_exceeded' : null),
      ...(action.retry_after_s === undefined ? {} : { retryAfterSeconds: action.retry_after_s }),
    },
  );
}

const HTML = '<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>';

function malform(given: Answer, how: 'html' | 'empty' | 'truncated' | 'other_id'): Answer {
  const answer = { ...given, stream: null };
  switch (how) {
    case 'html':
      return { ...answer, status: 200, body: HTML, contentType: 'text/html; charset=utf-8' };
    case 'empty':
      return { ...answer, status: 200, body: '' };
    case 'truncated':
      return { ...answer, body: answer.body.slice(0, Math.floor(answer.body.length / 2)) };
    case 'other_id':
      return { ...answer, body: answer.body.replace(/"id":"([a-z]+)_[^"]*"/, `"id":"$1_${'0'.repeat(24)}"`) };
    default:
      return how satisfies never;
  }
}

/** A fault's name in the journal. */
export function nameOf({ action, latencyMs, answerLatencyMs }: Strike): string | null {
  const lateMs = latencyMs + answerLatencyMs;
  if (action === null) return lateMs > 0 ? `late by ${lateMs} ms` : null;
  if ('status' in action) return `status ${action.status}`;
  if ('reset' in action) return `reset ${action.reset}`;
  if ('malformed' in action) return `malformed ${action.malformed}`;
  if ('stale' in action) return 'stale';
  return 'cut_after_events' in action ? `cut after ${action.cut_after_events} events` : 'busy';
}

export interface Exchange {
  readonly answer: Answer | null;
  readonly acted: boolean;
  readonly id: string | null;
}

/** Acts as the fault lets it. An `answer` of null: the connection is cut. */
export async function exchange(
  world: World,
  request: FastifyRequest,
  route: Route,
  action: Strike['action'],
  signal: AbortSignal,
): Promise<Exchange> {
  if (action === null) {
    const answer = await act(world, request, route, signal);
    return { answer, acted: answer.acted, id: answer.id };
  }
  const refused = { acted: false, id: null };
  if ('reset' in action && action.reset === 'before') return { answer: null, ...refused };
  if ('busy' in action) return { answer: answerError(world, busyError(world, request, route)), ...refused };
  if ('status' in action && action.after !== true)
    return { answer: answerError(world, faultError(action)), ...refused };
  const real = await act(world, request, route, signal);
  const { acted, id } = real;
  if ('reset' in action) return { answer: null, acted, id };
  if ('cut_after_events' in action) {
    const stream = real.stream === null ? null : { ...real.stream, cutAfter: action.cut_after_events };
    return { answer: { ...real, stream }, acted, id };
  }
  if ('stale' in action) {
    const before = world.beforeOutputs.get(id ?? '');
    return { answer: before === undefined ? real : { ...real, body: JSON.stringify(before) }, acted, id };
  }
  const answer =
    'status' in action ? answerError(world, faultError(action)) : malform(real, action.malformed);
  return { answer, acted, id };
}
