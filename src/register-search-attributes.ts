/** Whether a namespace knows Drover's search attributes, and teaching it. */
import type { OperatorService } from '@temporalio/client';
import { SEARCH_ATTRIBUTE_DEFINITIONS } from './search-attributes.ts';
import type { SearchAttributeDefinition } from './search-attributes.ts';

/** `temporal.api.enums.v1.IndexedValueType`. */
const WIRE_TYPES: Readonly<Record<SearchAttributeDefinition['type'], number>> = { Keyword: 2 };

/** A `Connection` and a `NativeConnection` alike. */
export interface OperatorConnection {
  readonly operatorService: OperatorService;
}

export interface SearchAttributeReport {
  /** Every attribute is there, of its type. */
  readonly registered: boolean;
  readonly missing: readonly SearchAttributeDefinition[];
  /** There by name, but of another type: they have to be removed first. */
  readonly mistyped: readonly SearchAttributeDefinition[];
}

/**
 * Compares what the namespace has with what Drover writes.
 *
 * @throws the SDK's error where the server cannot be asked, or may not be
 */
export async function checkSearchAttributes(
  connection: OperatorConnection,
  namespace: string,
): Promise<SearchAttributeReport> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = SEARCH_ATTRIBUTE_DEFINITIONS.filter(({ name }) => customAttributes[name] === undefined);
  const mistyped = SEARCH_ATTRIBUTE_DEFINITIONS.filter(({ name, type }) => {
    const held: number | undefined = customAttributes[name];
    return held !== undefined && held !== WIRE_TYPES[type];
  });
  return { registered: missing.length + mistyped.length === 0, missing, mistyped };
}

/**
 * Registers what is missing. Safe to run twice, and by several at once. A server may take a minute to
 * accept values of a new attribute.
 *
 * @returns what the namespace has afterwards
 * @throws the SDK's error where the server refuses: no permission, or no free column of that type
 */
export async function registerSearchAttributes(
  connection: OperatorConnection,
  namespace: string,
): Promise<SearchAttributeReport> {
  const before = await checkSearchAttributes(connection, namespace);
  if (before.missing.length === 0) return before;
  const searchAttributes = Object.fromEntries(
    before.missing.map(({ name, type }) => [name, WIRE_TYPES[type]]),
  );
  try {
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
  } catch (error) {
    // Somebody else may have been faster.
    const after = await checkSearchAttributes(connection, namespace);
    if (after.missing.length > 0) throw error;
    return after;
  }
  return await checkSearchAttributes(connection, namespace);
}

/** How long "not registered" is believed, in milliseconds. */
export const ASK_AGAIN_MS = 60_000;

/** Whether values may be written. Never rejects: a server that cannot be asked counts as one without them. */
export type SearchAttributeProbe = () => Promise<boolean>;

export interface ProbeOptions {
  /** @default Date.now */
  readonly now?: () => number;
  /** Told of an error once a question. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Asks the namespace once, and while the answer is no, again after a minute; "yes" is kept. Calls that
 * come while a question is under way share its answer.
 */
export function createSearchAttributeProbe(
  connection: OperatorConnection,
  namespace: string,
  options: ProbeOptions = {},
): SearchAttributeProbe {
  const now = options.now ?? Date.now;
  let answer: Promise<boolean> | null = null;
  let staleAt = Number.POSITIVE_INFINITY;
  const ask = async (): Promise<boolean> => {
    let registered = false;
    try {
      registered = (await checkSearchAttributes(connection, namespace)).registered;
    } catch (error) {
      options.onError?.(error);
    }
    staleAt = registered ? Number.POSITIVE_INFINITY : now() + ASK_AGAIN_MS;
    return registered;
  };
  return () => {
    if (answer === null || now() >= staleAt) {
      staleAt = Number.POSITIVE_INFINITY;
      answer = ask();
    }
    return answer;
  };
}
