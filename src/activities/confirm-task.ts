/** `drover.confirmTask`: whether the workflow task under way is the workflow's own, or a query ran ahead of it. */
import type { ConfirmTaskInput, ConfirmTaskOutput } from '../steps.ts';
import { standingOf } from './suspicion.ts';

export async function confirmTask({ events }: ConfirmTaskInput): Promise<ConfirmTaskOutput> {
  const { turn } = await standingOf({ suspect: false, events });
  return { turn };
}
