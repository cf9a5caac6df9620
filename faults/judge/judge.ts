/** The judge: every finding, and every figure of the report that comes from the journals. Pure. */
import { isKnownStatus } from '../../src/run.ts';
import type { Promises } from '../drivers/driver.ts';
import { classifyKills, countWindows } from '../kill-windows.ts';
import type { WorkflowTask } from '../kill-windows.ts';
import type { KillWindow, NemesisEntry } from '../nemesis-journal.ts';
import { judgeDeltas } from './deltas.ts';
import { excusedIds, judgeLiveOverOne, judgeOrphans, unfindableCreates } from './attempts.ts';
import { judgeBegunAgain, judgeGivenUp } from './begun-again.ts';
import { judgeBudget } from './budget.ts';
import {
  judgeAfterTaken,
  judgeAsked,
  judgeKeys,
  judgeNamed,
  judgeOnce,
  judgeReuse,
  judgeStrays,
} from './effects.ts';
import { hasEnded, judgeAccount, judgeEnd, judgeLost, judgeStatus, unknownOutcomes } from './ends.ts';
import { readFacts } from './facts.ts';
import type { Evidence, Exchange, Facts, RunFacts } from './facts.ts';
import { FINDING_KINDS } from './finding.ts';
import type { Finding, FindingKind } from './finding.ts';
import { isDivergent, judgeDouble, judgeInputs, judgeMissing, judgeUnsaid } from './outputs.ts';
import { judgeLate } from './late.ts';
import { judgeAnswers, judgeApprovals, judgeQuestions } from './people.ts';
import { judgeThreads } from './threads.ts';
import { rightEnds } from './right-ends.ts';
import { judgeOrder } from './turns.ts';
import { judgeUnknown } from './unknown.ts';

/** The figures, by the keys of the report. */
export type Counts = Readonly<Record<FindingKind, number>> & {
  readonly runs: number;
  readonly ended: number;
  readonly worker_kills: number;
  readonly kills_by_window: Readonly<Record<KillWindow, number>>;
  /** Past the heartbeat timeout, and woken up again. */
  readonly worker_stops: number;
  /** By SIGTERM. */
  readonly worker_restarts: number;
  readonly activity_pauses: number;
  readonly activity_resets: number;
  readonly server_restarts: number;
  readonly provider_faults: number;
  readonly unfindable_creates: number;
  readonly divergent_calls: number;
  readonly unknown_outcomes: number;
  /** Calls that people decided on, or gave the output of. */
  readonly decisions: number;
  /** Runs on a thread that an earlier run was started on. */
  readonly followers: number;
  /** Pieces of answers that those who watch were told. */
  readonly deltas: number;
} & WebhookCounts;

interface WebhookCounts {
  /** Events of the provider that somebody took. */
  readonly webhooks_taken: number;
  /** Never sent. */
  readonly webhooks_lost: number;
  /** Taken more than once. */
  readonly webhooks_repeated: number;
}

export interface Verdict {
  readonly counts: Counts;
  readonly findings: readonly Finding[];
}

/** Made by the nemesis: a request that its dead sender left is none. */
const isFaulty = ({ answer, pid }: Exchange): boolean => pid !== null && (answer?.fault ?? null) !== null;

function providerFaults(facts: Facts): number {
  const unknown = facts.runs.flatMap(({ statuses }) => statuses.filter(({ to }) => !isKnownStatus(to)));
  return facts.exchanges.filter(isFaulty).length + unknown.length;
}

function countWebhooks(provider: Evidence['provider']): WebhookCounts {
  const deliveries = provider.flatMap((entry) => (entry.kind === 'webhook' ? [entry] : []));
  const taken = deliveries.filter(({ status }) => status !== null && status < 300).map(({ event }) => event);
  const events = new Set(taken).size;
  return {
    webhooks_taken: events,
    webhooks_lost: deliveries.filter(({ nth }) => nth === 0).length,
    webhooks_repeated: taken.length - events,
  };
}

function judgeRun(run: RunFacts, facts: Facts, { promises, endAt }: Judging): readonly Finding[] {
  const excused = excusedIds(run, facts);
  const { namedIsOne } = promises;
  return [
    ...judgeLost(run),
    ...judgeEnd(run, rightEnds(run, facts, promises.ends(run.plan))),
    ...judgeStatus(run, promises),
    ...judgeAccount(run),
    ...judgeUnknown(run, facts),
    ...judgeLate(run, facts),
    ...judgeLiveOverOne(run, excused),
    ...judgeOrphans(run, excused, endAt),
    ...judgeBegunAgain(run, excused, facts),
    ...judgeGivenUp(run, facts),
    ...judgeAsked(run),
    ...judgeOnce(run, namedIsOne),
    ...judgeNamed(run, namedIsOne),
    ...judgeKeys(run, namedIsOne),
    ...judgeReuse(run, facts),
    ...judgeAfterTaken(run, facts),
    ...judgeMissing(run),
    ...judgeDouble(run, facts),
    ...judgeInputs(run, facts),
    ...judgeUnsaid(run, facts),
    ...judgeThreads(run, facts, promises),
    ...judgeDeltas(run),
    ...(promises.keepsLimits ? judgeBudget(run, facts) : []),
    ...(promises.takesTurns ? judgeOrder(run, facts.runs) : []),
    ...(promises.asksPeople ? [...judgeAnswers(run), ...judgeQuestions(run), ...judgeApprovals(run)] : []),
  ];
}

export interface Judging {
  /** Of the driver that is judged. */
  readonly promises: Promises;
  /** Workflow tasks of all runs, from their histories: they say only what the kills fell into. */
  readonly tasks: readonly WorkflowTask[];
  /** When the journals end. */
  readonly endAt: number;
}

export function judge(evidence: Evidence, judging: Judging): Verdict {
  const facts = readFacts(evidence);
  const { runs, nemesis } = facts;
  const findings = [...runs.flatMap((run) => judgeRun(run, facts, judging)), ...judgeStrays(facts)];
  const ofKind = (kind: FindingKind): number => findings.filter((finding) => finding.kind === kind).length;
  const kinds = Object.fromEntries(FINDING_KINDS.map((kind) => [kind, ofKind(kind)])) as Record<
    FindingKind,
    number
  >;
  const deeds = (wanted: NemesisEntry['kind']): number =>
    nemesis.filter(({ kind }) => kind === wanted).length;
  const sum = (of: (run: RunFacts) => number): number => runs.reduce((all, run) => all + of(run), 0);
  return {
    findings,
    counts: {
      ...kinds,
      ...countWebhooks(evidence.provider),
      deltas: evidence.heard.length,
      runs: runs.length,
      ended: runs.filter(hasEnded).length,
      worker_kills: deeds('worker_killed'),
      worker_stops: deeds('worker_resumed'),
      worker_restarts: deeds('worker_terminated'),
      activity_pauses: deeds('activity_unpaused'),
      activity_resets: deeds('activity_reset'),
      kills_by_window: countWindows(classifyKills(facts, judging.tasks)),
      server_restarts: deeds('server_back'),
      provider_faults: providerFaults(facts),
      unfindable_creates: sum((run) => unfindableCreates(run, facts).length),
      divergent_calls: sum(
        (run) =>
          run.exchanges
            .filter(({ answer }) => answer?.acted === true)
            .flatMap(({ outputs }) => outputs.filter(({ output }) => isDivergent(output))).length,
      ),
      unknown_outcomes: sum(unknownOutcomes),
      followers: runs.filter(({ plan }) => plan.follows !== null).length,
      decisions: sum(({ people }) => people.filter(({ event }) => event === 'accepted').length),
    },
  };
}
