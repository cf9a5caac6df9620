/** Judges what became of people's words: none lost, none asked for twice, nothing done without one. Pure. */
import type { PeopleEntry } from '../people-journal.ts';
import { traitsOf } from '../tool-table.ts';
import type { RunFacts } from './facts.ts';
import { toolLine } from './finding.ts';
import type { Finding } from './finding.ts';

const peopleLine = ({ at, event, outcome, key }: PeopleEntry): string =>
  `people:${at} ${event} ${outcome ?? ''} ${key}`;

/** A word that was taken, and that the run's result does not know of. */
export function judgeAnswers(run: RunFacts): readonly Finding[] {
  const { word } = run.final;
  if (word === null || word.calls === null) return [];
  const calls = new Map(word.calls.map((call) => [call.id, call]));
  return run.people
    .filter(({ event }) => event === 'accepted')
    .flatMap((entry): readonly Finding[] => {
      const call = calls.get(entry.tool_call_id);
      const heard = call?.decision === entry.outcome;
      const told = entry.receipt === null || call?.output?.includes(entry.receipt) === true;
      if (heard && told) return [];
      return [
        {
          kind: 'lost_answers',
          run: run.plan.id,
          what: `${entry.tool} ${entry.tool_call_id} was decided (${entry.outcome ?? 'nothing'}), and its result says ${call?.decision ?? 'nothing of it'}`,
          lines: [peopleLine(entry)],
        },
      ];
    });
}

/** The same question, of one effect in the same words, after it was answered. */
export function judgeQuestions(run: RunFacts): readonly Finding[] {
  return run.people
    .filter(({ event }) => event === 'asked')
    .flatMap((asked): readonly Finding[] => {
      const before = run.people.find(
        ({ event, key, digest, at }) =>
          event === 'accepted' && key === asked.key && digest === asked.digest && at < asked.at,
      );
      if (before === undefined) return [];
      return [
        {
          kind: 'repeated_questions',
          run: run.plan.id,
          what: `${asked.tool} was asked about again as ${asked.tool_call_id}, decided before as ${before.tool_call_id}`,
          lines: [before, asked].map(peopleLine),
        },
      ];
    });
}

/** A tool that started without anybody's having allowed it. */
export function judgeApprovals(run: RunFacts): readonly Finding[] {
  return run.tools
    .filter(({ event, tool }) => event === 'started' && traitsOf(tool).people === 'approval')
    .flatMap((start): readonly Finding[] => {
      const allowed = run.people.some(
        ({ event, key, outcome, at }) =>
          event === 'sent' && outcome === 'approve' && key === start.told.key && at <= start.at,
      );
      if (allowed) return [];
      return [
        {
          kind: 'unapproved_effects',
          run: run.plan.id,
          what: `${start.tool} on ${start.args.item} was started, and nobody had allowed it`,
          lines: [toolLine(start)],
        },
      ];
    });
}
