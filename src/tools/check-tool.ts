/** Everything that can be wrong with one tool's definition. */
import type { Duration } from '@temporalio/common';
import { msToNumber } from '@temporalio/common/lib/time.js';
import { LIMITS } from '../contract.ts';
import type { Issue } from '../contract.ts';
import type { AnyTool } from './define-tool.ts';
import { isJsonObject } from './json-schema.ts';
import { isZodType } from './schema.ts';
import { TOOL_DEFAULTS } from './tool-defaults.ts';
import { fieldName } from './tool-output.ts';

const NAME = new RegExp(`^[a-zA-Z0-9_-]{1,${LIMITS.toolNameChars}}$`);

/** Names that objects have by birth, and that Temporal keeps for itself. */
const RESERVED = new Set(['default', 'prototype', ...Object.getOwnPropertyNames(Object.prototype)]);
const RESERVED_PREFIX = '__temporal';

const SHARED_OPTIONS = [
  'kind',
  'name',
  'description',
  'parameters',
  'context',
  'effect',
  'effectKey',
  'onUnknown',
  'lookup',
  'reuse',
  'maxOutputBytes',
  'strict',
  'activity',
  'needsApproval',
  'decision',
];
/** Of a tool that the service runs itself: there is no handler to say anything of. */
const EXTERNAL_OPTIONS = [
  'kind',
  'external',
  'name',
  'description',
  'parameters',
  'context',
  'maxOutputBytes',
  'strict',
  'needsApproval',
  'decision',
];
const DECISION_OPTIONS = ['timeout', 'onTimeout'];
const ACTIVITY_OPTIONS = [
  'startToCloseTimeout',
  'scheduleToStartTimeout',
  'heartbeatTimeout',
  'retry',
  'taskQueue',
  'priority',
];
const DURATIONS = ['startToCloseTimeout', 'scheduleToStartTimeout', 'heartbeatTimeout'] as const;
const RETRY_OPTIONS = ['maximumAttempts', 'initialInterval', 'backoffCoefficient', 'maximumInterval'];
const PRIORITY_OPTIONS = ['priorityKey', 'fairnessKey', 'fairnessWeight'];
const EFFECTS = ['none', 'idempotent', 'once'];
const ON_UNKNOWN = ['end', 'wait', 'tell_model'];

/** Definitions come from plain JavaScript too: nothing is taken for granted. */
type Loose = Readonly<Record<string, unknown>>;

/** A duration in milliseconds; null where it is none. */
export function readDuration(value: unknown): number | null {
  try {
    const ms = msToNumber(value as Duration);
    return Number.isFinite(ms) && ms > 0 ? ms : null;
  } catch {
    return null;
  }
}

type Report = (field: string, message: string, limit?: number | string) => void;

function checkKnown(held: Loose, known: readonly string[], at: string, report: Report): void {
  for (const key of Object.keys(held)) {
    if (!known.includes(key)) report(`${at}${fieldName(key)}`, `No such option. Known: ${known.join(', ')}.`);
  }
}

function checkInteger(value: unknown, field: string, least: number, most: number, report: Report): void {
  if (value === undefined) return;
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
    report(field, `Give a whole number from ${least} to ${most}.`, most);
  }
}

function checkName(name: unknown, report: Report): void {
  if (typeof name !== 'string' || !NAME.test(name)) {
    report('name', `Give 1 to ${LIMITS.toolNameChars} of a-z A-Z 0-9 _ -.`, LIMITS.toolNameChars);
  } else if (RESERVED.has(name) || name.startsWith(RESERVED_PREFIX)) {
    report('name', 'This name is reserved. Choose another.');
  }
}

function checkRetry(retry: unknown, report: Report): void {
  if (retry === undefined) return;
  if (!isJsonObject(retry)) return report('activity.retry', 'Give an object.');
  const { maximumAttempts, initialInterval, backoffCoefficient, maximumInterval } = retry as Loose;
  checkKnown(retry, RETRY_OPTIONS, 'activity.retry.', report);
  checkInteger(maximumAttempts, 'activity.retry.maximumAttempts', 1, 1_000, report);
  for (const [field, held] of Object.entries({ initialInterval, maximumInterval })) {
    if (held !== undefined && readDuration(held) === null) {
      report(`activity.retry.${field}`, "Give a duration, such as '1 second' or milliseconds.");
    }
  }
  const most = readDuration(maximumInterval);
  const least = readDuration(initialInterval) ?? TOOL_DEFAULTS.initialIntervalMs;
  if (most !== null && most < least) {
    report('activity.retry.maximumInterval', `Give at least the initialInterval, ${least} ms.`, least);
  }
  if (
    backoffCoefficient !== undefined &&
    !(typeof backoffCoefficient === 'number' && backoffCoefficient >= 1)
  ) {
    report('activity.retry.backoffCoefficient', 'Give a number from 1.', 1);
  }
}

function checkPriority(priority: unknown, report: Report): void {
  if (priority === undefined) return;
  if (!isJsonObject(priority)) return report('activity.priority', 'Give an object.');
  const { priorityKey, fairnessKey, fairnessWeight } = priority as Loose;
  checkKnown(priority, PRIORITY_OPTIONS, 'activity.priority.', report);
  checkInteger(priorityKey, 'activity.priority.priorityKey', 1, 5, report);
  if (
    fairnessKey !== undefined &&
    !(typeof fairnessKey === 'string' && Buffer.byteLength(fairnessKey) <= 64)
  ) {
    report('activity.priority.fairnessKey', 'Give a text of at most 64 bytes.', 64);
  }
  if (
    fairnessWeight !== undefined &&
    !(typeof fairnessWeight === 'number' && fairnessWeight >= 0.001 && fairnessWeight <= 1_000)
  ) {
    report('activity.priority.fairnessWeight', 'Give a number from 0.001 to 1000.', 1_000);
  }
}

function checkActivity(tool: Loose, report: Report): void {
  const { activity } = tool;
  const remote = tool['kind'] === 'remote';
  if (activity === undefined) {
    if (remote) report('activity.taskQueue', 'Name the task queue of the worker that runs it.');
    return;
  }
  if (!isJsonObject(activity)) return report('activity', 'Give an object.');
  const { taskQueue, retry, priority } = activity as Loose;
  checkKnown(activity, ACTIVITY_OPTIONS, 'activity.', report);
  for (const field of DURATIONS) {
    if (activity[field] !== undefined && readDuration(activity[field]) === null) {
      report(`activity.${field}`, "Give a duration, such as '2 minutes' or milliseconds.");
    }
  }
  if (taskQueue === undefined ? remote : typeof taskQueue !== 'string' || taskQueue === '') {
    report('activity.taskQueue', 'Name the task queue of the worker that runs it.');
  }
  checkRetry(retry, report);
  checkPriority(priority, report);
}

function checkEffect(tool: Loose, report: Report): void {
  const effect = tool['effect'] ?? 'idempotent';
  if (!EFFECTS.includes(effect as string)) return report('effect', `Give one of ${EFFECTS.join(', ')}.`);
  const { onUnknown, lookup, effectKey, reuse } = tool;
  if (onUnknown !== undefined && !ON_UNKNOWN.includes(onUnknown as string)) {
    report('onUnknown', `Give one of ${ON_UNKNOWN.join(', ')}.`);
  }
  for (const [field, held] of Object.entries({ lookup, effectKey })) {
    if (held !== undefined && typeof held !== 'function') report(field, 'Give a function.');
  }
  if (effect !== 'once') {
    const why = 'Only an effect of `once` can have an unknown outcome; leave it out, or set `effect`.';
    if (onUnknown !== undefined) report('onUnknown', why);
    if (lookup !== undefined) report('lookup', why);
  }
  if (effect === 'none' && effectKey !== undefined) {
    report('effectKey', 'A tool without an effect has no use for it; leave it out, or set `effect`.');
  }
  if (reuse !== undefined && typeof reuse !== 'boolean') report('reuse', 'Give true or false.');
  if (reuse !== undefined && effect !== 'none') {
    report('reuse', 'Outputs of tools with an effect are always reused; it is for `none` only.');
  }
}

function checkPeople(tool: Loose, report: Report): void {
  const { needsApproval, decision } = tool;
  if (!['undefined', 'boolean', 'function'].includes(typeof needsApproval)) {
    report('needsApproval', 'Give true, false, or a function of the arguments.');
  }
  if (decision === undefined) return;
  if (!isJsonObject(decision)) return report('decision', 'Give an object.');
  checkKnown(decision, DECISION_OPTIONS, 'decision.', report);
  const { timeout, onTimeout } = decision as Loose;
  if (timeout !== undefined && readDuration(timeout) === null) {
    report('decision.timeout', "Give a duration, such as '2 days' or milliseconds.");
  }
  if (onTimeout !== undefined && onTimeout !== 'reject' && onTimeout !== 'end') {
    report('decision.onTimeout', 'Give one of reject, end.');
  }
}

/** The mistakes of a definition but those of its parameters' schema. `at` leads the fields, as in `tools.refund.`. */
export function checkTool(tool: AnyTool, at: string): readonly Issue[] {
  const issues: Issue[] = [];
  const report: Report = (field, message, limit) => {
    issues.push({ field: at + field, message, ...(limit === undefined ? {} : { limit }) });
  };
  const held = tool as unknown as Loose;
  const { kind, name, description, context, maxOutputBytes, strict, execute } = held;
  if (kind !== 'local' && kind !== 'remote' && kind !== 'external') {
    report('', 'Make it with `defineTool` or `defineRemoteTool`.');
    return issues;
  }
  const known = { local: [...SHARED_OPTIONS, 'execute'], remote: SHARED_OPTIONS, external: EXTERNAL_OPTIONS };
  checkKnown(held, known[kind], '', report);
  checkName(name, report);
  if (typeof description !== 'string' || description.trim() === '') {
    report('description', 'Say what it does: the model chooses by it.');
  }
  if (context !== undefined && !isZodType(context)) report('context', 'Give a zod schema.');
  if (strict !== undefined && typeof strict !== 'boolean') report('strict', 'Give true or false.');
  checkInteger(maxOutputBytes, 'maxOutputBytes', 1, LIMITS.maxOutputBytes, report);
  if (kind === 'local' && typeof execute !== 'function') report('execute', 'Give a function.');
  checkPeople(held, report);
  if (kind === 'external') {
    if (held['external'] !== true) report('external', 'Give true, or leave it out and give `execute`.');
    return issues;
  }
  checkEffect(held, report);
  checkActivity(held, report);
  return issues;
}
