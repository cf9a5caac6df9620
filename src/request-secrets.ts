/**
 * Secrets in the tools of a request. A request stands in Temporal's history, so a secret is never
 * in it: it is referred to as `{"secret": "NAME"}` and looked up by the worker.
 */
import type { Issue } from './contract.ts';
import { fieldOf } from './request-json.ts';
import type { Path } from './request-json.ts';
import type { Json } from './run.ts';

const REFERENCE_NAME = /^\w[\w.:-]{0,127}$/;

/** Field names whose text is a credential, whatever it looks like. */
const SECRET_FIELD =
  /^(?:proxy[-_]?)?authorization$|^(?:x[-_])?api[-_]?key$|^(?:access|auth|bearer|refresh|id)?[-_]?token$|^(?:client[-_]?)?secret$|^pass(?:word|wd|phrase)$|^credentials?$|^(?:set[-_])?cookie$|^private[-_]?key$/i;

/** Text that is a credential, wherever it stands. Each reads a long text once: none tries where it can be split. */
const SECRET_TEXT = [
  /\b(?:bearer|basic)\s+[\w.~+/=-]{12,}/i,
  /\b(?:sk|pk|rk)[-_](?:[a-z]+[-_])*[\w-]{16,}/i,
  /\bgh[oprsu]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}/,
  /\bxox[abeprs]-[\w-]{10,}/,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/,
  /\bAIza[\w-]{30,}/,
  /(?<![\w-])eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*/,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /^[a-z][a-z\d+.-]*:\/\/[^/\s@:]*:[^/\s@]+@/i,
  /[?&](?:api[-_]?key|access[-_]?token|token|key|sig|signature|secret|password)=[^&\s]{6,}/i,
] as const;

/** Headers that carry no credential. */
const PLAIN_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'content-type',
  'user-agent',
]);

/** True for text that has the shape of a key, a token or a password in a URL. */
export function looksSecret(text: string): boolean {
  return SECRET_TEXT.some((shape) => shape.test(text));
}

/** The name in `{"secret": "NAME"}`; null for everything else. */
export function secretName(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const keys = Object.keys(value);
  const { secret } = value as { secret?: unknown };
  if (keys.length !== 1 || typeof secret !== 'string') return null;
  return REFERENCE_NAME.test(secret) ? secret : null;
}

const isObject = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A function's own parameters describe arguments: their names and examples are not credentials. */
function isSchema(tool: Json, path: Path): boolean {
  return isObject(tool) && tool['type'] === 'function' && path.includes('parameters');
}

const LITERAL =
  'holds a literal secret, which would stand in history: write {"secret": "NAME"} and set NAME in `secrets` of the worker\'s configuration';

/** A copy of a tool object with every literal secret in it replaced. */
function mapSecrets(tool: Json, path: Path, replace: (secret: string, at: Path) => string): Json {
  const visit = (value: Json, at: Path, suspect: boolean): Json => {
    if (secretName(value) !== null) return value;
    if (typeof value === 'string') {
      return looksSecret(value) || (suspect && value !== '') ? replace(value, at) : value;
    }
    if (Array.isArray(value)) return value.map((held: Json, index) => visit(held, [...at, index], suspect));
    if (!isObject(value)) return value;
    const inHeaders = String(at.at(-1)).toLowerCase() === 'headers';
    const entries = Object.entries(value).map(([key, held]) => {
      const named = inHeaders ? !PLAIN_HEADERS.has(key.toLowerCase()) : SECRET_FIELD.test(key);
      return [key, visit(held, [...at, key], !isSchema(tool, at) && (suspect || named))] as const;
    });
    return Object.fromEntries(entries);
  };
  return visit(tool, path, false);
}

/** Literal secrets in one tool object, at `path` of the request. The secret itself is in no issue. */
export function findLiteralSecrets(tool: Json, path: Path): readonly Issue[] {
  const issues: Issue[] = [];
  mapSecrets(tool, path, (secret, at) => {
    issues.push({ field: fieldOf(at), message: LITERAL });
    return secret;
  });
  return issues;
}

/** The tool with its literal secrets masked: a provider shows tools as it was given them. */
export const maskLiteralSecrets = (tool: Json, mask: string): Json => mapSecrets(tool, [], () => mask);

/**
 * The tool with every `{"secret": "NAME"}` replaced by what `lookup` gives. A function's definition is
 * shown to the model, so nothing is replaced in it.
 */
export async function replaceSecrets<T extends Json>(
  tool: T,
  lookup: (name: string) => Promise<string | null>,
): Promise<{ readonly tool: T; readonly missing: readonly string[] }> {
  const missing = new Set<string>();
  const visit = async (value: Json): Promise<Json> => {
    const name = secretName(value);
    if (name !== null) {
      const found = await lookup(name);
      if (found === null) missing.add(name);
      return found ?? value;
    }
    if (Array.isArray(value)) return Promise.all(value.map((held: Json) => visit(held)));
    if (!isObject(value)) return value;
    const entries = Object.entries(value).map(async ([key, held]) => [key, await visit(held)] as const);
    return Object.fromEntries(await Promise.all(entries));
  };
  if (isObject(tool) && tool['type'] === 'function') return { tool, missing: [] };
  return { tool: (await visit(tool)) as T, missing: [...missing] };
}
