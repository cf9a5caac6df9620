/** Every scenario, in the order in which they are played. */
import type { Scenario, Target } from '../scenario.ts';
import { history } from './history.ts';
import { inFlight } from './in-flight.ts';
import { lag } from './lag.ts';
import { overhead } from './overhead.ts';
import { recovery } from './recovery.ts';
import { throughput } from './throughput.ts';
import { webhooks } from './webhooks.ts';

/** Hides what its figures look like: each is given its own ones only. */
function sealed<Figures>({ judge, tables, ...rest }: Scenario<Figures>): Scenario<unknown> {
  return {
    ...rest,
    judge: (figures) => judge(figures as Figures),
    tables: (figures) => tables(figures as Figures),
  };
}

export const SCENARIOS: readonly Scenario<unknown>[] = [
  sealed(history),
  sealed(lag),
  sealed(throughput),
  sealed(overhead),
  sealed(recovery),
  sealed(inFlight),
  sealed(webhooks),
];

/** What is expected of every scenario that these figures are of. */
export const judgeFigures = (
  figures: Readonly<Record<string, unknown>>,
): readonly (Target & { readonly scenario: string })[] =>
  SCENARIOS.filter(({ name }) => figures[name] !== undefined).flatMap(({ name, judge }) =>
    judge(figures[name]).map((target) => ({ scenario: name, ...target })),
  );
