/** What tokens cost, by the configuration's own reckoning. */
import { Context } from '@temporalio/activity';
import type { LoadedConfig } from '../config.ts';
import type { RunUsage } from '../run.ts';
import { errorName } from './tool-failure.ts';

/** Undefined where there is no price, nothing was spent that is known, or the price is no number from 0. */
export function costOf(
  { price }: Pick<LoadedConfig, 'price'>,
  usage: RunUsage | null,
  model: string | null,
): number | undefined {
  if (price === undefined || usage === null) return undefined;
  try {
    const cost: unknown = price(usage, model);
    if (typeof cost === 'number' && Number.isFinite(cost) && cost >= 0) return cost;
    Context.current().log.warn('price gave no number from 0', { model });
  } catch (error) {
    Context.current().log.warn('price threw', { model, errorName: errorName(error) });
  }
  return undefined;
}
