/** Judges whether threads can be used again: the stage tried each of them when all was over. Pure. */
import type { Promises } from '../drivers/driver.ts';
import type { Facts, RunFacts } from './facts.ts';
import { providerLine } from './finding.ts';
import type { Finding } from './finding.ts';

/** The model of the tries: no run's. */
export const PROBE_MODEL = 'a-probe-of-the-stage';

const endedBadly = ({ final }: RunFacts): boolean => final.word !== null && final.word.code !== null;

export function judgeThreads(
  run: RunFacts,
  { exchanges, runs }: Pick<Facts, 'exchanges' | 'runs'>,
  { freesThreads }: Pick<Promises, 'freesThreads'>,
): readonly Finding[] {
  const probes = exchanges.filter(({ model, pid }) => model === PROBE_MODEL && pid === null);
  return run.threads.flatMap((thread): readonly Finding[] => {
    const isLeft = runs.some((other) => other.threads.includes(thread) && endedBadly(other));
    if (isLeft && !freesThreads) return [];
    const probe = probes.find((exchange) => exchange.thread === thread);
    if (probe?.answer?.acted === true) return [];
    return [
      {
        kind: 'threads_left_unusable',
        run: run.plan.id,
        what:
          probe === undefined
            ? `${thread} was never tried again`
            : `${thread} refuses a new run with ${probe.answer?.status ?? 'no answer'}`,
        lines: probe === undefined ? [] : [providerLine(probe.seq)],
      },
    ];
  });
}
