/** The person who is asked what became of an effect: looks into the tools' own journal, and says what stands there. */
import type { Driver, Verdict } from './drivers/driver.ts';
import type { RunPlan } from './plan.ts';
import type { Stage } from './stage.ts';
import { readToolEntries } from './tool-journal.ts';
import { traitsOf } from './tool-table.ts';

/** A worker that was stopped may still make the effect when it wakes up: it is waited for. */
const PATIENCE_MS = 20_000;
const LOOK_MS = 3_000;
/** A question costs a worker a replay: so many runs are asked about at a time, in turn. */
const AT_ONCE = 4;

export class Person {
  readonly #stage: Stage;
  readonly #driver: Driver;
  readonly #plans: readonly RunPlan[];
  readonly #open: () => readonly string[];
  readonly #askedAt = new Map<string, number>();
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
      attempts.some(({ rounds }) => rounds.flat().some(({ tool }) => traitsOf(tool).unknown === 'wait')),
    );
  }

  async look(): Promise<void> {
    if (Date.now() - this.#lookedAt < LOOK_MS) return;
    this.#lookedAt = Date.now();
    const open = new Set(this.#open());
    const waiting = this.#plans.filter(({ id }) => open.has(id));
    const asked = waiting.slice(this.#next, this.#next + AT_ONCE);
    this.#next = this.#next + AT_ONCE < waiting.length ? this.#next + AT_ONCE : 0;
    await Promise.all(asked.map((plan) => this.#answer(plan).catch(() => undefined)));
  }

  async #answer(plan: RunPlan): Promise<void> {
    for (const key of await this.#driver.waitingForPerson(this.#stage, plan)) {
      const verdict = this.#find(key);
      if (verdict !== null) await this.#driver.settle(this.#stage, plan, key, verdict);
    }
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
