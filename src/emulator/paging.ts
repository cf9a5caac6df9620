/** List envelopes and cursors, as on both wires. */
import { WireError } from './errors.ts';

export interface Page {
  readonly object: 'list';
  readonly data: readonly unknown[];
  readonly first_id: string | null;
  readonly last_id: string | null;
  readonly has_more: boolean;
}

export type Query = Readonly<Record<string, unknown>>;

function readLimit(query: Query): number {
  if (query['limit'] === undefined) return 20;
  const limit = Number(query['limit']);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 100) return limit;
  const [code, words] =
    limit > 100
      ? ['integer_above_max_value', 'integer above maximum value. Expected a value <= 100']
      : ['integer_below_min_value', 'integer below minimum value. Expected a value >= 1'];
  throw new WireError(400, `Invalid 'limit': ${words}.`, { param: 'limit', code });
}

function readOrder(query: Query): 'asc' | 'desc' {
  const order = query['order'] ?? 'desc';
  if (order === 'asc' || order === 'desc') return order;
  throw new WireError(400, "Invalid value for 'order'. Supported values are: 'asc' and 'desc'.", {
    param: 'order',
    code: 'invalid_value',
  });
}

function cursor(ids: readonly string[], query: Query, name: 'after' | 'before'): number | null {
  const id = query[name];
  if (typeof id !== 'string' || id === '') return null;
  const at = ids.indexOf(id);
  if (at >= 0) return at;
  throw new WireError(400, `Invalid '${name}': no item with this id is in the list.`, { param: name });
}

/**
 * One page of a list.
 *
 * @param held oldest first.
 */
export function pageOf<T extends { readonly id: string }>(
  held: readonly T[],
  query: Query,
  render: (item: T) => unknown = (item) => item,
): Page {
  const limit = readLimit(query);
  const sorted = readOrder(query) === 'asc' ? held : held.toReversed();
  const ids = sorted.map((item) => item.id);
  const after = cursor(ids, query, 'after');
  const before = cursor(ids, query, 'before');
  const window = sorted.slice(after === null ? 0 : after + 1, before ?? undefined);
  // Before a cursor, the page is the one that ends there.
  const page = before !== null && after === null ? window.slice(-limit) : window.slice(0, limit);
  return {
    object: 'list',
    data: page.map(render),
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
    has_more: window.length > page.length,
  };
}
