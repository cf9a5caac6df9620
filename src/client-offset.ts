/** The place of an event in a run, and its written form. Pure. */
import { InvalidOffsetError } from './client-errors.ts';

export interface Place {
  /** Temporal's id of the execution. */
  readonly runId: string;
  readonly eventId: number;
  /** Which event of those that the one recorded made, from 0. */
  readonly index: number;
  /** Characters that were told by then of what the model says. */
  readonly chars: number;
}

export const offsetOf = ({ runId, eventId, index, chars }: Place): string =>
  `${runId}.${eventId}.${index}${chars === 0 ? '' : `+${chars}`}`;

/** @throws InvalidOffsetError */
export function readOffset(offset: string): Place {
  const [, runId = '', eventId = '', index = '', chars = '0'] =
    /^([\w-]{1,64})\.(\d{1,9})\.(\d{1,3})(?:\+(\d{1,9}))?$/.exec(offset) ?? [];
  if (runId === '') throw new InvalidOffsetError(offset);
  return { runId, eventId: Number(eventId), index: Number(index), chars: Number(chars) };
}

export const isBehind = (place: Place, after: Place | null): boolean =>
  after !== null &&
  place.runId === after.runId &&
  (place.eventId < after.eventId || (place.eventId === after.eventId && place.index <= after.index));
