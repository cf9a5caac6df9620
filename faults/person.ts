/**
 * The people who are asked: what became of an effect, which they look up in the tools' own journal; whether a call may
 * run, and what the service has to say in its place, which the call's item decides.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WaitingCall } from '../src/decisions.ts';
import type { Driver, Said, Verdict } from './drivers/driver.ts';
import { writePeopleEntry } from './people-journal.ts';
import type { RunPlan } from './plan.ts';
import type { Stage } from './stage.ts';
import { readToolEntries } from './tool-journal.ts';
import { traitsOf } from './tool-table.ts';

/** A worker that was stopped may still make the effect when it wakes up: it is waited for. */
const PATIENCE_MS = 20_000;
const LOOK_MS = 3_000;
/** How long the answers to a few runs may take. */
const ANSWER_MS = 30_000;
/** A question costs a worker a replay: so many runs are asked about at a time, in turn. */
const AT_ONCE = 4;

/** The same for the same call, whenever it is asked: one in four is refused. */
function sayOf({ kind, key }: WaitingCall): Said {
  const hash = createHash('sha256').update(key).digest('hex');
  if (kind === 'external') return { outcome: 'answer', receipt: `p-${hash.slice(0, 24)}` };
  return { outcome: Number.parseInt(hash.slice(0, 4), 16) % 4 === 0 ? 'reject' : 'approve' };
}

export class Person {
  readonly #stage: Stage;
  readonly #driver: Driver;
  readonly #plans: readonly RunPlan[];
  readonly #open: () => readonly string[];
  readonly #askedAt = new Map<string, number>();
  readonly #asked = new Set<string>();
  #lookedAt = 0;
  #next = 0;

  constructor(
    given: { readonly stage: Stage; readonly driver: Driver; readonly plans: readonly RunPlan[] },
    open: () => readonly string[],
  ) {
    this.#stage = given.stage;
    this.#driver = given.driver;
    this.#open = open;
    this.#plans = given.plans.filter(({ attempts }) =>
      attempts.some(({ rounds }) =>
        rounds
          .flat()
          .map(({ tool }) => traitsOf(tool))
          .some(({ unknown, people }) => unknown === 'wait' || people !== null),
      ),
    );
  }

  async look(): Promise<void> {
    if (Date.now() - this.#lookedAt < LOOK_MS) return;
    this.#lookedAt = Date.now();
    const open = new Set(this.#open());
    const waiting = this.#plans.filter(({ id }) => open.has(id));
    const asked = waiting.slice(this.#next, this.#next + AT_ONCE);
    this.#next = this.#next + AT_ONCE < waiting.length ? this.#next + AT_ONCE : 0;
    // A run that nobody can drive on answers nothing: it is found lost at the end, and holds up no other.
    const patience = sleep(ANSWER_MS, undefined, { ref: false });
    await Promise.race([
      patience,
      Promise.all(asked.map((plan) => this.#answer(plan).catch(() => undefined))),
    ]);
  }

  async #answer(plan: RunPlan): Promise<void> {
    for (const call of await this.#driver.waiting(this.#stage, plan)) {
      if (call.kind !== 'unknown_outcome') await this.#decide(plan, call);
      else {
        const verdict = this.#find(call.key);
        if (verdict !== null) await this.#driver.settle(this.#stage, plan, call.key, verdict);
      }
    }
  }

  async #decide(plan: RunPlan, call: WaitingCall): Promise<void> {
    const { key, arguments_digest: digest, name: tool, tool_call_id } = call;
    const said = sayOf(call);
    const entry = {
      run: plan.id,
      key,
      digest,
      tool,
      tool_call_id,
      outcome: said.outcome,
      receipt: said.outcome === 'answer' ? said.receipt : null,
    };
    const write = (event: 'asked' | 'sent' | 'accepted'): void =>
      writePeopleEntry(this.#stage.files.people, { ...entry, event });
    const question = `${key} ${tool_call_id}`;
    if (!this.#asked.has(question)) write('asked');
    this.#asked.add(question);
    write('sent');
    await this.#driver.decide(this.#stage, plan, call, said);
    write('accepted');
  }

  #find(key: string): Verdict | null {
    const entries = readToolEntries(this.#stage.files.tools).filter(({ told }) => told.key === key);
    const effect = entries.find(({ event }) => event === 'finished');
    if (effect !== undefined) return { outcome: 'done', receipt: effect.receipt };
    const askedAt = this.#askedAt.get(key) ?? Date.now();
    this.#askedAt.set(key, askedAt);
    if (Date.now() - askedAt < PATIENCE_MS) return null;
    return { outcome: entries.length === 0 ? 'not_done' : 'end' };
  }
}
