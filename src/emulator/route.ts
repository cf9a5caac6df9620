/** One endpoint, declared as data, so that a test can hold it against the official description. */
import type { z } from 'zod';
import type { WireName } from './journal.ts';
import type { Query } from './paging.ts';
import type { Wire, World } from './world.ts';

export interface Call<Body> {
  readonly world: World;
  /** Parameters of the path. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  /** Aborts when the caller's connection closes before the answer. */
  readonly signal: AbortSignal;
}

export interface Route {
  readonly wire: WireName;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** As the description writes it, with `{…}`. */
  readonly path: string;
  /** Query parameters that it reads. */
  readonly query: readonly string[];
  /** The body that it accepts; null where it takes none. */
  readonly body: z.ZodType<Wire> | null;
  handle(call: Call<Wire>): unknown;
}

interface RouteOptions<Body> {
  readonly wire: WireName;
  readonly query?: readonly string[];
  readonly body?: z.ZodType<Body>;
}

/** Declares an endpoint: `'POST /threads/{thread_id}/runs'`. */
export function route<Body = Wire>(
  endpoint: string,
  options: RouteOptions<Body>,
  handle: (call: Call<Body>) => unknown,
): Route {
  const [method, path] = endpoint.split(' ') as [Route['method'], string];
  return {
    wire: options.wire,
    method,
    path,
    query: options.query ?? [],
    body: (options.body as z.ZodType<Wire> | undefined) ?? null,
    handle: handle as Route['handle'],
  };
}

export const LIST_QUERY = ['limit', 'order', 'after', 'before'] as const;
