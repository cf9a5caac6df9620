/** `drover.takePlace`: a run that nobody has taken a place for, or that waits for long, asks for its turn. */
import { Context } from '@temporalio/activity';
import { claimThread, joinQueue } from '../client-place.ts';
import type { Place, TakePlaceInput } from '../turns.ts';

export async function takePlace(input: TakePlaceInput): Promise<Place> {
  const { client } = Context.current();
  const place = await claimThread(client, input);
  if (place === 'wait') await joinQueue(client, input);
  return place;
}
