/** From what goes wrong while a configuration is read to the issues that name it. */
import type { Issue } from './contract.ts';
import { fieldOf } from './request-json.ts';

/** Of a thrown value's own words, so many are shown. */
const REASON_CHARS = 200;

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const joinField = (left: string, right: string): string =>
  right === '' || right === left || right.startsWith(`${left}.`) || right.startsWith(`${left}[`)
    ? right || left
    : `${left}.${right}`;

/** The first line of somebody else's words, which may quote anything. */
export function firstLine(said: string): string {
  const line = said.split('\n', 1)[0] ?? '';
  return (line.length > REASON_CHARS ? `${line.slice(0, REASON_CHARS)}…` : line).toWellFormed();
}

function reasonOf(error: unknown): string {
  const said: unknown = error instanceof Error ? error.message : error;
  return typeof said === 'string' ? firstLine(said) : `a ${typeof said} was thrown`;
}

/** What a thrown value says, on one line, or the issues that it carries where it carries any. */
function issuesOf(error: unknown, field: string, what: string): readonly Issue[] {
  const held = (error as { readonly issues?: unknown } | null | undefined)?.issues;
  if (Array.isArray(held) && held.every((one) => isObject(one) && typeof one['field'] === 'string')) {
    return (held as Issue[]).map((one) => ({ ...one, field: joinField(field, one.field) }));
  }
  return [{ field, message: `${what}: ${reasonOf(error)}` }];
}

/** What `read` gives; where it throws, an issue is noted and `otherwise` given. */
export function attempt<T, O>(
  issues: Issue[],
  where: { readonly field: string; readonly what: string },
  otherwise: O,
  read: () => T,
): T | O {
  try {
    return read();
  } catch (error) {
    issues.push(...issuesOf(error, where.field, where.what));
    return otherwise;
  }
}

/** `assistants.support.model`; names that cannot be shown as they are are quoted and shortened. */
export const configField = (...path: readonly PropertyKey[]): string =>
  path
    .map(String)
    .map((name) => (/^\P{Cc}{1,64}$/u.test(name) && name.isWellFormed() ? name : fieldOf([name])))
    .join('.');
