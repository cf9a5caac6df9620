/** Judges what the tools did: nothing twice, under one key, and not again once it was known. Pure. */
import { identityOf, isSame, traitsOf } from '../tool-table.ts';
import type { ToolEntry } from '../tool-journal.ts';
import { acted } from './facts.ts';
import type { Facts, RunFacts } from './facts.ts';
import { providerLine, toolLine } from './finding.ts';
import type { Finding } from './finding.ts';

const identity = ({ tool, args }: Pick<ToolEntry, 'tool' | 'args'>): string => identityOf(tool, args);

/** How often the model asks for an effect within one attempt, at most; one however often, where that is promised. */
function allowedOf(run: RunFacts, namedIsOne: boolean): ReadonlyMap<string, number> {
  const most = new Map<string, number>();
  for (const attempt of run.plan.attempts) {
    const asked = new Map<string, number>();
    for (const call of attempt.rounds.flat()) {
      const key = identityOf(call.tool, call.args);
      const { effect, keyed } = traitsOf(call.tool);
      asked.set(key, namedIsOne && effect === 'once' && keyed ? 1 : (asked.get(key) ?? 0) + 1);
    }
    for (const [key, count] of asked) most.set(key, Math.max(most.get(key) ?? 0, count));
  }
  return most;
}

/** What was never asked for is a finding of its own, and is counted here from the second time on. */
const allowedFor = (allowed: ReadonlyMap<string, number>, key: string): number => allowed.get(key) ?? 1;

const isKeyTwice = (entries: readonly ToolEntry[]): boolean =>
  new Set(entries.map(({ told }) => told.key)).size < entries.length;

/** A tool that was called with what the model has not said, for a call that is none, or in the name of another run. */
export function judgeAsked(run: RunFacts): readonly Finding[] {
  const isAsked = ({ tool, args, told }: ToolEntry): boolean => {
    const call = run.calls.get(told.tool_call_id);
    const owner = (told.context as { readonly plan?: unknown } | null)?.plan ?? run.plan.id;
    return call?.tool === tool && isSame(call.args, args) && owner === run.plan.id;
  };
  return run.tools
    .filter((entry) => entry.event === 'started' && !isAsked(entry))
    .map((entry) => ({
      kind: 'unasked_effects',
      run: run.plan.id,
      what: `${entry.tool} on ${entry.args.item} was started for ${entry.told.tool_call_id}, which does not ask for that`,
      lines: [toolLine(entry)],
    }));
}

/** Tools that were told of a run that nobody started. */
export const judgeStrays = ({ strays }: Pick<Facts, 'strays'>): readonly Finding[] =>
  strays
    .filter(({ event }) => event === 'started')
    .map((entry) => ({
      kind: 'unasked_effects',
      run: entry.told.run,
      what: `${entry.tool} on ${entry.args.item} was started for a run that nobody has started`,
      lines: [toolLine(entry)],
    }));

function groups(entries: readonly ToolEntry[]): ReadonlyMap<string, readonly ToolEntry[]> {
  const found = new Map<string, ToolEntry[]>();
  for (const entry of entries) {
    const key = identity(entry);
    found.set(key, [...(found.get(key) ?? []), entry]);
  }
  return found;
}

/** A once-effect that was started more often than the model asked for it in any one attempt. */
export function judgeOnce(run: RunFacts, namedIsOne: boolean): readonly Finding[] {
  const allowed = allowedOf(run, namedIsOne);
  const starts = run.tools.filter(
    ({ event, tool }) => event === 'started' && traitsOf(tool).effect === 'once',
  );
  return [...groups(starts)].flatMap(([key, entries]): readonly Finding[] => {
    const [first] = entries;
    if (first === undefined || (entries.length <= allowedFor(allowed, key) && !isKeyTwice(entries)))
      return [];
    return [
      {
        kind: 'duplicate_once_effects',
        run: run.plan.id,
        what: `${first.tool} on ${first.args.item} was started ${entries.length} times, asked for ${allowedFor(allowed, key)} times`,
        lines: entries.map(toolLine),
      },
    ];
  });
}

/** A named effect that was made under more keys than the model asked for it in any one attempt: made twice. */
export function judgeNamed(run: RunFacts, namedIsOne: boolean): readonly Finding[] {
  const allowed = allowedOf(run, namedIsOne);
  const made = run.tools.filter(
    ({ event, tool }) => event === 'finished' && traitsOf(tool).keyed && traitsOf(tool).effect !== 'none',
  );
  return [...groups(made)].flatMap(([key, entries]): readonly Finding[] => {
    const [first] = entries;
    const once = first !== undefined && traitsOf(first.tool).effect === 'once';
    const count = once ? entries.length : new Set(entries.map(({ told }) => told.key)).size;
    if (first === undefined || count <= allowedFor(allowed, key)) return [];
    return [
      {
        kind: 'duplicate_effects_by_effect_key',
        run: run.plan.id,
        what: `${first.tool} was made ${count} times on ${first.args.item}`,
        lines: entries.map(toolLine),
      },
    ];
  });
}

/** The key by which a system that acts tells a repeat from a new effect has to stay the same. */
export function judgeKeys(run: RunFacts, namedIsOne: boolean): readonly Finding[] {
  const allowed = allowedOf(run, namedIsOne);
  const told = run.tools.filter(({ tool }) => traitsOf(tool).effect !== 'none');
  return [...groups(told)].flatMap(([key, entries]): readonly Finding[] => {
    const [first] = entries;
    const keys = new Set(entries.map((entry) => entry.told.key));
    const ofOneCall = entries.find((entry) =>
      entries.some(
        (other) => other.told.tool_call_id === entry.told.tool_call_id && other.told.key !== entry.told.key,
      ),
    );
    if (first === undefined || (keys.size <= allowedFor(allowed, key) && ofOneCall === undefined)) return [];
    return [
      {
        kind: 'idempotent_key_changes',
        run: run.plan.id,
        what: `${first.tool} on ${first.args.item} was told ${keys.size} keys, asked for ${allowedFor(allowed, key)} times`,
        lines: entries.map(toolLine),
      },
    ];
  });
}

/** How long a worker and the server have to live on for an effect's answer to count as told. Milliseconds. */
const TOLD_MS = 3_000;
/** How long after a pause or a reset an activity may start. Milliseconds. */
const BY_HAND_MS = 15_000;

function wasTold(effect: ToolEntry, run: RunFacts, { nemesis }: Pick<Facts, 'nemesis'>): boolean {
  const handedIn = run.exchanges.some(({ outputs }) =>
    outputs.some(({ output }) => output.includes(effect.receipt)),
  );
  if (handedIn) return true;
  return !isHindered(effect, run, nemesis);
}

/** Something befell the worker, the server or the activity, so that what this line tells of may not have been heard of. */
export function isHindered(entry: ToolEntry, run: RunFacts, nemesis: Facts['nemesis']): boolean {
  const { work_ms: work, hold_ms: hold } = entry.args;
  const returned = entry.at + hold + (entry.event === 'started' ? work : 0);
  return nemesis.some((deed) => {
    if (deed.kind === 'server_killed' || deed.kind === 'server_back')
      return deed.at >= entry.at - TOLD_MS && deed.at <= returned + TOLD_MS;
    if ('run' in deed)
      return (
        deed.run === run.plan.id &&
        deed.type === entry.tool &&
        deed.at >= entry.at - BY_HAND_MS &&
        deed.at <= returned + TOLD_MS
      );
    // A worker that was stopped before it acted may come back too late to be heard.
    return 'pid' in deed && deed.pid === entry.pid && deed.at <= returned + TOLD_MS;
  });
}

/** Made again by a later attempt, although its outcome was known. */
export function judgeReuse(run: RunFacts, facts: Pick<Facts, 'nemesis'>): readonly Finding[] {
  const attemptOf = (entry: ToolEntry): number => run.calls.get(entry.told.tool_call_id)?.attempt ?? 0;
  const effects = run.tools.filter(({ tool }) => traitsOf(tool).reused);
  const told = effects.filter((entry) => entry.event === 'finished' && wasTold(entry, run, facts));
  return effects
    .filter(({ event }) => event === 'started')
    .flatMap((start): readonly Finding[] => {
      const known = told.filter(
        (effect) => identity(effect) === identity(start) && attemptOf(effect) < attemptOf(start),
      );
      const again = effects.filter(
        (other) =>
          other.event === 'started' &&
          identity(other) === identity(start) &&
          attemptOf(other) === attemptOf(start) &&
          other.at <= start.at,
      );
      // Asked for more often than before, the surplus is new.
      const askedNow = [...run.calls.values()].filter(
        (call) => identity(call) === identity(start) && call.attempt === attemptOf(start),
      ).length;
      const knownKeys = new Set(known.map((effect) => effect.told.tool_call_id)).size;
      if (known.length === 0 || again.length <= askedNow - knownKeys) return [];
      return [
        {
          kind: 'unreused_effects',
          run: run.plan.id,
          what: `${start.tool} on ${start.args.item} ran again for attempt ${attemptOf(start)}, though it was known`,
          lines: [...known, start].map(toolLine),
        },
      ];
    });
}

/** Whoever was stopped, or started its tool again by hand, may come late to what others have done. */
const mayBeLate = (start: ToolEntry, run: RunFacts, nemesis: Facts['nemesis']): boolean =>
  nemesis.some((deed) => {
    if (deed.at > start.at) return false;
    if ('run' in deed) return deed.run === run.plan.id && deed.type === start.tool;
    return (deed.kind === 'worker_stopped' || deed.kind === 'worker_resumed') && deed.pid === start.pid;
  });

/** Run again for a call whose output the provider had taken: an old word of the provider's was read as a new one. */
export function judgeAfterTaken(run: RunFacts, { nemesis }: Pick<Facts, 'nemesis'>): readonly Finding[] {
  const taken = acted(run).filter(({ outputs }) => outputs.length > 0);
  return run.tools
    .filter(({ event }) => event === 'started')
    .flatMap((start): readonly Finding[] => {
      const submit = taken.find(
        ({ outputs, answer }) =>
          (answer?.at ?? Infinity) < start.at &&
          outputs.some(({ callId }) => callId === start.told.tool_call_id),
      );
      if (submit === undefined || mayBeLate(start, run, nemesis)) return [];
      return [
        {
          kind: 'unreused_effects',
          run: run.plan.id,
          what: `${start.tool} on ${start.args.item} ran again for ${start.told.tool_call_id}, whose output had been taken`,
          lines: [providerLine(submit.seq), toolLine(start)],
        },
      ];
    });
}
