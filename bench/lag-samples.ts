/** What one waiting run shows of its driver's lag, and how many are summed up: pure. */
import type { JobFacts } from './provider/job-facts.ts';
import type { Table } from './scenario.ts';
import { mean, median, most, quantile, round } from './statistics.ts';

export interface LagSample {
  readonly waited_s: number;
  readonly lag_s: number;
  readonly gets: number;
}

/** @throws where the provider has not ended the run */
export function sampleOf(id: string, facts: JobFacts | undefined, knownAt: number): LagSample {
  if (facts?.endedAt == null) throw new Error(`The provider has not ended the run ${id}.`);
  return {
    waited_s: round((facts.endedAt - facts.createdAt) / 1_000),
    lag_s: round((knownAt - facts.endedAt) / 1_000),
    gets: facts.gets,
  };
}

export const lagsOf = (samples: readonly LagSample[] = []): readonly number[] =>
  samples.map(({ lag_s }) => lag_s);
export const getsOf = (samples: readonly LagSample[] = []): readonly number[] =>
  samples.map(({ gets }) => gets);

export const SAMPLE_HEAD: Table['head'] = [
  'runs',
  'lag p50 s',
  'lag p90 s',
  'lag p99 s',
  'most s',
  'GETs mean',
  'GETs most',
];

/** Under {@link SAMPLE_HEAD}. */
export function sampleCells(samples: readonly LagSample[]): readonly number[] {
  const lags = lagsOf(samples);
  return [
    samples.length,
    round(median(lags)),
    round(quantile(lags, 0.9)),
    round(quantile(lags, 0.99)),
    round(most(lags)),
    round(mean(getsOf(samples)), 1),
    most(getsOf(samples)),
  ];
}
