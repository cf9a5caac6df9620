/** Journals of one made-up run, written as the emulator, the tools and the nemesis write them. */
import type { FinalState, Promises } from '../../faults/drivers/driver.ts';
import type { Cancel, Evidence } from '../../faults/judge/facts.ts';
import type { FindingKind } from '../../faults/judge/finding.ts';
import { judge } from '../../faults/judge/judge.ts';
import type { Verdict } from '../../faults/judge/judge.ts';
import { PROBE_MODEL } from '../../faults/judge/threads.ts';
import type { WorkflowTask } from '../../faults/kill-windows.ts';
import type { NemesisDeed, NemesisEntry } from '../../faults/nemesis-journal.ts';
import { answerOf } from '../../faults/plan.ts';
import type { PeopleEntry } from '../../faults/people-journal.ts';
import type { HeardEntry } from '../../faults/heard-journal.ts';
import type { RunPlan, Wire } from '../../faults/plan.ts';
import { scriptOf } from '../../faults/script.ts';
import type { PlannedAttempt } from '../../faults/script.ts';
import type { PlannedEffect } from '../../faults/shapes.ts';
import type { ToolEntry } from '../../faults/tool-journal.ts';
import { WORKER_HEADER } from '../../faults/worker-env.ts';
import type { JournalEntry } from '../../src/emulator/index.ts';

export const RUN = 'faults-1-0';
export const THREAD = 'thread_1';

export const effect = (
  tool: PlannedEffect['tool'],
  more: Partial<PlannedEffect['args']> = {},
): PlannedEffect => ({
  tool,
  args: { item: 'item', note: 'as first asked', work_ms: 10, hold_ms: 0, ...more },
});

export const callId = (attempt: number, at = 0): string => `call_${attempt}_${at}`;
export const receipt = (n: number): string => `r-${n}`;
export const answered = (n: number): string => JSON.stringify({ receipt: receipt(n) });

export interface BookOptions {
  readonly wire?: Wire;
  readonly onThread?: boolean;
  readonly streamed?: boolean;
  /** Each attempt has one round of these. */
  readonly attempts?: readonly (readonly PlannedEffect[])[];
  readonly ends?: RunPlan['ends'];
  readonly limits?: RunPlan['limits'];
  readonly retry?: RunPlan['retry'];
}

function planOf(options: BookOptions): RunPlan {
  const { wire = 'assistants', onThread = false, streamed = false, attempts } = options;
  const { ends = [null], limits = {}, retry = {} } = options;
  const planned = (attempts ?? [[effect('pay')], [effect('pay')]]).map(
    (effects, attempt): PlannedAttempt => ({
      rounds: [effects.map((asked, at) => ({ ...asked, id: callId(attempt, at) }))],
      end: 'answer',
      endsAfter: 1,
      thinkMs: [],
      unknownStatus: null,
    }),
  );
  return {
    id: RUN,
    shape: 'plain',
    wire,
    pushed: false,
    streamed,
    onThread,
    follows: null,
    onBusyThread: 'enqueue',
    startsAfterMs: 0,
    cancelAfterMs: null,
    attempts: planned,
    script: scriptOf(planned, answerOf({ id: RUN, streamed })),
    input: 'Please.',
    budget: null,
    retry,
    limits,
    ends,
  };
}

const closesAs = (code: string | null): string =>
  code === null ? 'COMPLETED' : code === 'cancelled' ? 'CANCELLED' : 'FAILED';

interface Sent {
  readonly pid?: number;
  readonly acted?: boolean;
  readonly delivered?: boolean;
}

/** Time goes on by 10 ms with each line. */
export class Book {
  readonly plan: RunPlan;
  readonly provider: JournalEntry[] = [];
  readonly tools: ToolEntry[] = [];
  readonly people: PeopleEntry[] = [];
  readonly heard: HeardEntry[] = [];
  readonly nemesis: NemesisEntry[] = [];
  readonly tasks: WorkflowTask[] = [];
  readonly cancels: Cancel[] = [];
  final: FinalState = { run: RUN, workflow: 'RUNNING', closedAt: null, word: null };
  now = 1_000;
  readonly #status = new Map<string, string>();

  constructor(options: BookOptions = {}) {
    this.plan = planOf(options);
  }

  get thread(): string | null {
    return this.plan.wire === 'assistants' || this.plan.onThread ? THREAD : null;
  }

  wait(ms: number): this {
    this.now += ms;
    return this;
  }

  #add(entry: object): number {
    const seq = this.provider.length + 1;
    this.provider.push({ seq, at: (this.now += 10), ...entry } as JournalEntry);
    return seq;
  }

  /** The first half of an exchange; gives its number. */
  ask(method: string, path: string, body: object, pid: number | null = 1): number {
    const headers = pid === null ? {} : { [WORKER_HEADER]: String(pid) };
    return this.#add({ kind: 'request', wire: this.plan.wire, method, path, query: {}, body, headers });
  }

  answer(request: number, id: string | null, { acted = true, delivered = true }: Sent = {}): this {
    const status = delivered ? (acted ? 200 : 400) : null;
    this.#add({ kind: 'answer', request, method: '', path: '', status, acted, id, delivered, fault: null });
    return this;
  }

  becomes(id: string, to: string): this {
    const { wire } = this.plan;
    const from = this.#status.get(id) ?? null;
    this.#status.set(id, to);
    // Each run plays an attempt of its own; all of a chain is one.
    const attempt = wire === 'assistants' ? [...this.#status.keys()].indexOf(id) : 0;
    this.#add({
      kind: 'status',
      wire,
      id,
      from,
      to,
      metadata: {},
      thread: this.thread,
      model: RUN,
      attempt,
    });
    return this;
  }

  askCreate(input = true, pid = 1): number {
    const user = { role: 'user', content: 'Please.' };
    if (this.plan.wire === 'assistants')
      return this.ask(
        'POST',
        `/v1/threads/${THREAD}/runs`,
        { model: RUN, ...(input ? { additional_messages: [user] } : {}) },
        pid,
      );
    const place = this.thread === null ? {} : { conversation: this.thread };
    return this.ask('POST', '/v1/responses', { model: RUN, ...place, input: input ? [user] : [] }, pid);
  }

  create(id: string, { pid = 1, ...sent }: Sent = {}, input = true): this {
    const request = this.askCreate(input, pid);
    return this.becomes(id, 'queued').answer(request, id, sent);
  }

  look(id: string, pid: number | null = 1): this {
    const base = this.plan.wire === 'assistants' ? `/v1/threads/${THREAD}/runs` : '/v1/responses';
    return this.answer(this.ask('GET', `${base}/${id}`, {}, pid), id);
  }

  askSubmit(id: string, outputs: readonly (readonly [call: string, output: string])[], pid = 1): number {
    if (this.plan.wire === 'assistants') {
      const given = outputs.map(([call, output]) => ({ tool_call_id: call, output }));
      return this.ask(
        'POST',
        `/v1/threads/${THREAD}/runs/${id}/submit_tool_outputs`,
        { tool_outputs: given },
        pid,
      );
    }
    const input = outputs.map(([call, output]) => ({ type: 'function_call_output', call_id: call, output }));
    const place = this.thread === null ? { previous_response_id: id } : { conversation: this.thread };
    return this.ask('POST', '/v1/responses', { model: RUN, ...place, input }, pid);
  }

  /** @param made on the Responses wire, the response that it makes */
  submit(
    id: string,
    outputs: readonly (readonly [call: string, output: string])[],
    made = id,
    { pid = 1, ...sent }: Sent = {},
  ): this {
    const request = this.askSubmit(id, outputs, pid);
    return this.becomes(made, 'queued').answer(request, made, sent);
  }

  tool(
    event: ToolEntry['event'],
    asked: PlannedEffect,
    n: number,
    { call = callId(0), key = 'key', pid = 1 }: { call?: string; key?: string; pid?: number } = {},
  ): this {
    const told = { run: RUN, tool_call_id: call, key, attempt: 1, context: null };
    this.tools.push({ event, ...asked, told, receipt: receipt(n), pid, at: (this.now += 10) });
    return this;
  }

  acts(asked: PlannedEffect, n: number, more: { call?: string; key?: string; pid?: number } = {}): this {
    return this.tool('started', asked, n, more).tool('finished', asked, n, more);
  }

  /** The provider tells of it: `nth` 0 where that is lost. */
  webhook(id: string, event: string, nth: number, status: number | null): this {
    this.#add({ kind: 'webhook', event, type: 'response.completed', id, nth, status });
    return this;
  }

  /** A person is asked about a call, or says something of it. */
  person(
    event: PeopleEntry['event'],
    tool: PlannedEffect['tool'],
    outcome: PeopleEntry['outcome'],
    { call = callId(0), key = 'key', digest = 'digest', n = null as number | null } = {},
  ): this {
    this.people.push({
      event,
      run: RUN,
      key,
      digest,
      tool,
      tool_call_id: call,
      outcome,
      receipt: n === null ? null : receipt(n),
      at: (this.now += 10),
    });
    return this;
  }

  /** Somebody who watches is told what the model says. */
  hears(attemptId: string, text: string): this {
    this.heard.push({ run: RUN, attempt_id: attemptId, text, at: (this.now += 10) });
    return this;
  }

  deed(deed: NemesisDeed): this {
    this.nemesis.push({ at: (this.now += 10), ...deed });
    return this;
  }

  closes(word: Partial<NonNullable<FinalState['word']>> = {}, workflow = closesAs(word.code ?? null)): this {
    const whole = { code: null, text: answerOf(this.plan), ambiguous: false, calls: null, ...word };
    this.final = { run: RUN, workflow, closedAt: (this.now += 10), word: whole };
    return this;
  }

  probe(acted = true): this {
    if (this.thread === null) return this;
    const { wire } = this.plan;
    const request =
      wire === 'assistants'
        ? this.ask('POST', `/v1/threads/${this.thread}/runs`, { model: PROBE_MODEL }, null)
        : this.ask(
            'POST',
            '/v1/responses',
            { model: PROBE_MODEL, conversation: this.thread, input: 'x' },
            null,
          );
    return this.answer(request, acted ? 'probe' : null, { acted });
  }

  evidence(): Evidence {
    const { plan, provider, tools, nemesis, people, heard, final } = this;
    return {
      plans: [plan],
      provider,
      tools,
      nemesis,
      people,
      heard,
      starts: [],
      cancels: this.cancels,
      finals: [final],
    };
  }

  verdict(promises: Partial<Promises> = {}): Verdict {
    return judge(this.evidence(), {
      promises: {
        ends: ({ ends }) => ends,
        closesAs: (code) => [closesAs(code)],
        namedIsOne: true,
        asksPeople: true,
        takesTurns: true,
        keepsLimits: true,
        freesThreads: true,
        ...promises,
      },
      tasks: this.tasks,
      endAt: this.now + 60_000,
    });
  }

  /** Kinds of what is found. */
  kinds(promises: Partial<Promises> = {}): readonly FindingKind[] {
    return [...new Set(this.verdict(promises).findings.map(({ kind }) => kind))];
  }
}

/** Created, asked for its one call; nothing has run yet. */
export const begun = (options: BookOptions = {}): Book =>
  new Book(options)
    .create('run_1')
    .becomes('run_1', 'in_progress')
    .look('run_1')
    .becomes('run_1', 'requires_action');

/** The rest of a run that goes well. */
export const ended = (book: Book, id = 'run_1'): Book =>
  book.becomes(id, 'in_progress').look(id).becomes(id, 'completed').closes().probe();
