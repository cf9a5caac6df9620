/** How a run's status may change. */
import { isKnownStatus, type RunStatus, type WireStatus } from './run.ts';

export interface Transition {
  readonly from: RunStatus | null;
  readonly to: RunStatus;
  readonly cause: string;
  /** `documented` by the vendor's life-cycle guide, or `observed` in captures and reports. */
  readonly source: 'documented' | 'observed';
}

const step = (
  from: RunStatus | null,
  to: RunStatus,
  cause: string,
  source: Transition['source'] = 'documented',
): Transition => ({ from, to, cause, source });

/** Every legal change of status, with what causes it (Assistants deep dive, "Run lifecycle"). */
export const TRANSITIONS: readonly Transition[] = [
  step(null, 'queued', 'create'),
  step(null, 'in_progress', 'create on a server that never says queued', 'observed'),
  step(null, 'completed', 'create on a server that ignores background mode', 'observed'),
  step('queued', 'in_progress', 'picked up'),
  step('queued', 'cancelling', 'cancel'),
  step('queued', 'cancelled', 'cancel before it was picked up', 'observed'),
  step('queued', 'failed', 'last_error', 'observed'),
  step('queued', 'expired', 'ten minutes since create', 'observed'),
  step('in_progress', 'requires_action', 'function calls wanted'),
  step('in_progress', 'completed', 'answered'),
  step('in_progress', 'failed', 'last_error'),
  step('in_progress', 'incomplete', 'token budget used up, or filtered'),
  step('in_progress', 'cancelling', 'cancel'),
  step('in_progress', 'expired', 'ten minutes since create'),
  step('requires_action', 'queued', 'outputs submitted'),
  step('requires_action', 'in_progress', 'outputs submitted', 'observed'),
  step('requires_action', 'cancelling', 'cancel'),
  step('requires_action', 'cancelled', 'cancel', 'observed'),
  step('requires_action', 'expired', 'outputs came too late'),
  step('cancelling', 'cancelled', 'cancel took effect'),
  step('cancelling', 'completed', 'it ended before the cancel took effect'),
  step('cancelling', 'failed', 'it ended before the cancel took effect'),
  step('cancelling', 'incomplete', 'it ended before the cancel took effect', 'observed'),
  step('cancelling', 'expired', 'it ended before the cancel took effect'),
];

/** True where `from` → `to` stands in {@link TRANSITIONS} or nothing changed. Unknown statuses may go anywhere. */
export function isLegalTransition(from: WireStatus | null, to: WireStatus): boolean {
  if (from === to || (from !== null && !isKnownStatus(from)) || !isKnownStatus(to)) return true;
  return TRANSITIONS.some((known) => known.from === from && known.to === to);
}
