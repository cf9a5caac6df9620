/** Takes a run request in: every limit is checked here, before anything is created, and every mistake is named at once. */
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Issue, RunRequest } from './contract.ts';
import { LIMITS } from './contract.ts';
import { InvalidRequestError } from './errors.ts';
import { readIssues } from './request-issues.ts';
import { copyJson } from './request-json.ts';
import { checkRules } from './request-rules.ts';
import { runRequestSchema } from './request-schema.ts';
import type { JsonObject } from './run.ts';

export type CheckedRequest =
  | { readonly request: RunRequest; readonly issues?: undefined }
  | { readonly issues: readonly Issue[]; readonly request?: undefined };

/**
 * Checks a request against its schema, the limits and the rules across fields.
 *
 * @param value plain JSON; a property that is `undefined` counts as absent
 * @returns a copy that shares nothing with `value`, or every issue; no issue holds content or a secret
 */
export function checkRunRequest(value: unknown): CheckedRequest {
  const { json, issues: impure, whole } = copyJson(value);
  if (!whole) return { issues: impure };
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    const shape = { field: '', message: 'must be an object with at least assistant_id and input' };
    return { issues: impure.length > 0 ? impure : [shape] };
  }
  const request = json as JsonObject;
  const parsed = runRequestSchema.safeParse(request);
  const noJson = new Set(impure.map(({ field }) => field));
  const found = [...(parsed.success ? [] : readIssues(parsed.error.issues, request)), ...checkRules(request)];
  const issues = [...impure, ...found.filter(({ field }) => !noJson.has(field))];
  return issues.length > 0 ? { issues } : { request: request as unknown as RunRequest };
}

/**
 * A checked copy of a request.
 *
 * @throws InvalidRequestError with every mistake
 */
export function parseRunRequest(value: unknown): RunRequest {
  const checked = checkRunRequest(value);
  if (checked.issues !== undefined) throw new InvalidRequestError(checked.issues);
  return checked.request;
}

/** Whether a run may have this id: it becomes the workflow id and a metadata value. Null: it may. */
export function checkRunId(id: unknown): Issue | null {
  if (typeof id !== 'string' || id === '') return { field: 'id', message: 'must be text and not empty' };
  if (!id.isWellFormed() || /\p{Cc}/u.test(id)) {
    return { field: 'id', message: 'must hold no control characters and no half surrogate pairs' };
  }
  if (id.length <= LIMITS.runIdChars) return null;
  return {
    field: 'id',
    message: `must have at most ${LIMITS.runIdChars} characters, has ${id.length}`,
    limit: LIMITS.runIdChars,
    value: id.length,
  };
}

/**
 * The digest by which two requests are the same: SHA-256, as hex, of the canonical JSON (RFC 8785). The
 * order of keys does not matter, and a field that is null is one that is absent.
 */
export function requestDigest(request: RunRequest): string {
  const said = Object.fromEntries(Object.entries(request).filter(([, value]) => value !== null));
  const canonical = canonicalize(said);
  if (canonical === undefined) throw new TypeError('A request has no canonical form: check it first.');
  return createHash('sha256').update(canonical).digest('hex');
}
