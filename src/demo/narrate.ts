/** Tells what happens, entry by entry of the journals, in words that a reader understands. Pure but for what it remembers. */
import { METADATA_KEYS } from '../contract.ts';
import type { JournalEntry, RequestEntry, ScriptCall, StatusEntry } from '../emulator/index.ts';
import { isTerminal } from '../run.ts';
import { budgetOf, outputsOf } from './journal-facts.ts';
import type { Kill } from './journal-facts.ts';
import { callsOf } from './scenarios.ts';
import type { Scenario } from './scenario.ts';
import type { ToolEntry } from './tool-journal.ts';

export interface Line {
  readonly scenario: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly text: string;
  /** `step` shows only where it can be overwritten; `end` is the last one of its run. */
  readonly weight: 'step' | 'event' | 'end';
}

export interface Narrator {
  provider(entry: JournalEntry): Line | null;
  tool(entry: ToolEntry): Line | null;
  killed(scenario: Scenario, kill: Kill): Line;
  replaced(scenario: Scenario, pid: number, at: number): Line;
}

/** What is known of one run so far. */
interface Memory {
  readonly scenario: Scenario;
  /** Keys of its attempts, in order. */
  readonly attempts: string[];
  /** Calls that the model has made. */
  called: number;
  budget: number | null;
  /** How often a tool was started for a call. */
  readonly starts: Map<string, number>;
  readonly startsOfTool: Map<string, number>;
  /** Calls whose tool was with a worker that was killed. */
  readonly orphaned: Set<string>;
  /** The worker's process that ran a call's tool last. */
  readonly processes: Map<string, number>;
  /** The tools at work, by call. */
  readonly working: Map<string, string>;
}

const joined = (names: readonly string[]): string => names.join(' and ');
const count = (counts: Map<string, number>, key: string): void =>
  void counts.set(key, (counts.get(key) ?? 0) + 1);
const namesOf = (calls: readonly ScriptCall[]): string => joined(calls.map(({ name }) => name));

const isBroken = ({ arguments: given }: ScriptCall): boolean => typeof given === 'string';

function describeCalls({ scenario, called }: Memory, calls: readonly ScriptCall[]): string {
  const names = namesOf(calls);
  if (calls.some(isBroken)) return `the model calls ${names}, with broken arguments`;
  const before = callsOf(scenario.script).slice(0, called);
  const earlier = before.filter(({ name }) => calls.some((call) => call.name === name));
  if (earlier.length === 0) return `the model calls ${names}`;
  return `the model calls ${names} again, ${earlier.some(isBroken) ? 'with sound arguments' : 'in other words'}`;
}

/** The calls of the turn that has just ended; null where it called nothing. The journal has no bodies of answers. */
function callsOfTurn(memory: Memory, { wire, to, attempt }: StatusEntry): readonly ScriptCall[] | null {
  if (to !== (wire === 'assistants' ? 'requires_action' : 'completed')) return null;
  const { attempts } = memory.scenario.script;
  const before = callsOf({ attempts: attempts.slice(0, attempt) }).length;
  const played = attempts[Math.min(attempt, attempts.length - 1)]?.steps ?? [];
  let at = before;
  for (const step of played) {
    if (!('call' in step)) continue;
    if (at >= memory.called) return step.call;
    at += step.call.length;
  }
  return null;
}

/** Whatever made it more than a matter of course. */
function tellCompleted({ scenario, attempts, budget, orphaned, startsOfTool }: Memory): string {
  const { effects, growingBudget } = scenario.expected;
  const tokens = growingBudget === true && budget !== null ? `, with ${budget} completion tokens` : '';
  const ran = effects.flatMap(({ tool, once }) => {
    const starts = startsOfTool.get(tool) ?? 0;
    return once === true ? [`${tool} was started ${starts === 1 ? 'once' : `${starts} times`}`] : [];
  });
  return [
    'completed',
    ...(attempts.length > 1 ? [` on attempt ${attempts.length}`] : []),
    ...(orphaned.size > 0 ? [' by another worker'] : []),
    tokens,
    ...ran.map((text) => `; ${text}`),
  ].join('');
}

function tellEnd(memory: Memory, { to }: StatusEntry): Pick<Line, 'text' | 'weight'> {
  const number = memory.attempts.length;
  const working = joined([...memory.working.values()]);
  switch (to) {
    case 'completed':
      return { text: tellCompleted(memory), weight: 'end' };
    case 'incomplete': {
      const tokens = memory.budget === null ? 'completion tokens' : `its ${memory.budget} completion tokens`;
      return { text: `attempt ${number} ran out of ${tokens}`, weight: 'event' };
    }
    default: {
      const meanwhile = working === '' ? '' : ` while ${working} was still working`;
      return { text: `attempt ${number} ${to}${meanwhile}`, weight: 'event' };
    }
  }
}

function tellStatus(memory: Memory, entry: StatusEntry): Pick<Line, 'text' | 'weight'> | null {
  const { attempts } = memory;
  const key = entry.metadata[METADATA_KEYS.key] ?? entry.id;
  if (entry.from === null && !attempts.includes(key)) {
    attempts.push(key);
    const { follows } = memory.scenario.expected;
    if (attempts.length === 1 && follows !== undefined)
      return { text: `its turn on the thread, after ${follows}`, weight: 'event' };
    if (attempts.length === 1) return { text: 'the model thinks', weight: 'step' };
    const { growingBudget } = memory.scenario.expected;
    const budget =
      growingBudget === true && memory.budget !== null ? ` with ${memory.budget} completion tokens` : '';
    return { text: `attempt ${attempts.length} created${budget}`, weight: 'event' };
  }
  const calls = callsOfTurn(memory, entry);
  if (calls !== null) {
    const text = describeCalls(memory, calls);
    memory.called += calls.length;
    return { text, weight: 'event' };
  }
  return isTerminal(entry.to) ? tellEnd(memory, entry) : null;
}

function tellSubmit(memory: Memory, request: RequestEntry): Pick<Line, 'text' | 'weight'> | null {
  const outputs = outputsOf(request);
  if (outputs.length === 0) return null;
  const { script, expected } = memory.scenario;
  const ids = outputs.map(({ callId }) => callId);
  if (ids.some((id) => expected.refused?.includes(id) === true)) {
    return { text: 'the model is told what was wrong with them', weight: 'event' };
  }
  const answered = callsOf(script).filter(({ id }) => id !== undefined && ids.includes(id));
  const notRun = answered.filter(({ id }) => !memory.starts.has(id ?? ''));
  if (notRun.length > 0) {
    const text = `answered from the ledger: ${namesOf(notRun)} is not run again`;
    return { text, weight: 'event' };
  }
  const lookedUp = answered.filter(
    ({ id }) => memory.orphaned.has(id ?? '') && memory.starts.get(id ?? '') === 1,
  );
  if (lookedUp.length > 0) {
    const text = `what ${namesOf(lookedUp)} did is looked up: it is not run again`;
    return { text, weight: 'event' };
  }
  return { text: 'the model is told what came out', weight: 'step' };
}

/** @param scenarios by run id */
export function createNarrator(scenarios: ReadonlyMap<string, Scenario>): Narrator {
  const memories = new Map(
    [...scenarios].map(([runId, scenario]): [string, Memory] => [
      runId,
      {
        scenario,
        attempts: [],
        called: 0,
        budget: null,
        working: new Map(),
        starts: new Map(),
        startsOfTool: new Map(),
        orphaned: new Set(),
        processes: new Map(),
      },
    ]),
  );
  const requests = new Map<number, { readonly memory: Memory; readonly request: RequestEntry }>();
  const runOfId = new Map<string, Memory>();
  const ofScenario = (scenario: Scenario): Memory | undefined =>
    [...memories.values()].find((memory) => memory.scenario === scenario);
  const line = (memory: Memory, at: number, told: Pick<Line, 'text' | 'weight'> | null): Line | null =>
    told === null ? null : { scenario: memory.scenario.name, at, ...told };

  const memoryOf = (request: RequestEntry): Memory | undefined => {
    const { metadata } = (request.body ?? {}) as { readonly metadata?: Readonly<Record<string, string>> };
    const run = /\/runs\/([^/]+)/.exec(request.path)?.[1] ?? '';
    return memories.get(metadata?.[METADATA_KEYS.run] ?? '') ?? runOfId.get(run);
  };

  return {
    provider: (entry) => {
      if (entry.kind === 'request') {
        const memory = entry.method === 'POST' ? memoryOf(entry) : undefined;
        if (memory === undefined) return null;
        memory.budget = budgetOf(entry) ?? memory.budget;
        requests.set(entry.seq, { memory, request: entry });
        return null;
      }
      if (entry.kind === 'answer') {
        const asked = requests.get(entry.request);
        requests.delete(entry.request);
        if (asked === undefined || !entry.acted) return null;
        return line(asked.memory, entry.at, tellSubmit(asked.memory, asked.request));
      }
      if (entry.kind === 'webhook') return null;
      const memory = memories.get(entry.metadata[METADATA_KEYS.run] ?? '');
      if (memory === undefined) return null;
      runOfId.set(entry.id, memory);
      return line(memory, entry.at, tellStatus(memory, entry));
    },
    tool: ({ run_id: runId, event, tool, subject, tool_call_id: callId, pid, at }) => {
      const memory = memories.get(runId);
      if (memory === undefined) return null;
      if (event === 'started') {
        memory.working.set(callId, tool);
        count(memory.starts, callId);
        count(memory.startsOfTool, tool);
        memory.processes.set(callId, pid);
        return line(memory, at, { text: `${joined([...memory.working.values()])} at work`, weight: 'step' });
      }
      memory.working.delete(callId);
      const text = event === 'done' ? `${tool} is done with ${subject}` : `${tool} was stopped`;
      return line(memory, at, { text, weight: tool === 'refund_order' ? 'event' : 'step' });
    },
    killed: (scenario, { pid, at }) => {
      const memory = ofScenario(scenario);
      for (const [callId, held] of memory?.processes ?? []) if (held === pid) memory?.orphaned.add(callId);
      return {
        scenario: scenario.name,
        at,
        text: `its worker is killed before it can say so (kill -9 ${pid})`,
        weight: 'event',
      };
    },
    replaced: (scenario, pid, at) => ({
      scenario: scenario.name,
      at,
      text: `another worker takes over (process ${pid})`,
      weight: 'event',
    }),
  };
}
