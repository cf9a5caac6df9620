/** Why an attempt ended, from what was seen of it. Pure. */
import type { Observation } from '../backends/backend.ts';
import { readLastFailure } from '../backends/provider-errors.ts';
import type { AttemptReason } from '../contract.ts';
import { incompleteReason } from '../run.ts';

export interface EndReading {
  readonly reason: AttemptReason;
  /** The provider's wish before another try. */
  readonly retry_after_ms: number | null;
}

/** Of a terminal observation; a status that is not terminal is `given_up`. */
export function readEnd({ run, raw_code }: Observation): EndReading {
  const ended = (reason: AttemptReason): EndReading => ({ reason, retry_after_ms: null });
  switch (run.status) {
    case 'completed':
      return ended('completed');
    case 'expired':
      return ended('expired');
    case 'cancelled':
      return ended('cancelled_elsewhere');
    case 'incomplete': {
      const reason = incompleteReason(run);
      return ended(reason === 'other' ? 'incomplete' : reason);
    }
    case 'failed':
      if (raw_code === 'content_filter') return ended('content_filter');
      return readLastFailure(run.last_error);
    default:
      return ended('given_up');
  }
}
