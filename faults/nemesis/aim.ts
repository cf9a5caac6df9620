/** Kills a worker at a wanted moment: watches the journals as they grow, and strikes when one shows it. */
import type { FaultMatch, JournalEntry } from '../../src/emulator/index.ts';
import { followJsonLines } from '../journal-file.ts';
import type { KillWindow } from '../nemesis-journal.ts';
import type { RunPlan } from '../plan.ts';
import type { Random } from '../random.ts';
import { readRequest } from '../requests.ts';
import type { ReadRequest } from '../requests.ts';
import type { Stage } from '../stage.ts';
import type { ToolEntry } from '../tool-journal.ts';

/** How long an answer is held back so that a kill comes before it. Milliseconds. */
const HOLD_MS = 1_500;
/** So many of the runs that are to begin next have their create held back: some of them wait for their turn first. */
const NEXT = 8;

interface Armed {
  readonly window: KillWindow;
  readonly strike: (pid: number, afterMs: number) => void;
}

export class Aim {
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #continuing: ReadonlySet<string>;
  /** Runs on the Responses wire that have asked for nothing yet, in the order of their starts. */
  #unbegun: readonly string[];
  readonly #stopFollowing: (() => void)[];
  /** Requests without an answer yet. */
  readonly #open = new Map<number, ReadRequest>();
  readonly #armed = new Set<Armed>();
  /** Of each run or response, as of its last change. */
  readonly #status = new Map<string, string>();

  constructor(stage: Stage, plans: readonly RunPlan[], random: Random) {
    this.#stage = stage;
    this.#random = random;
    this.#continuing = new Set(
      plans.filter(({ limits }) => limits.history_events !== undefined).map(({ id }) => id),
    );
    this.#unbegun = plans
      .filter(({ wire }) => wire === 'responses')
      .toSorted((one, other) => one.startsAfterMs - other.startsAfterMs)
      .map(({ id }) => id);
    this.#stopFollowing = [
      followJsonLines(stage.files.provider, (entry) => this.#onProvider(entry as JournalEntry)),
      followJsonLines(stage.files.tools, (entry) => this.#onTool(entry as ToolEntry)),
    ];
  }

  close(): void {
    for (const stop of this.#stopFollowing) stop();
    this.#armed.clear();
  }

  /** The worker to kill, once the moment has come; null where it did not come in time. */
  await(window: KillWindow, withinMs: number): Promise<number | null> {
    if (window === 'create' || window === 'submit') this.#holdAnswer(window);
    return new Promise((resolve) => {
      const armed: Armed = {
        window,
        strike: (pid, afterMs) => {
          this.#armed.delete(armed);
          clearTimeout(timer);
          setTimeout(() => resolve(pid), afterMs);
        },
      };
      const timer = setTimeout(() => {
        this.#armed.delete(armed);
        resolve(null);
      }, withinMs);
      this.#armed.add(armed);
    });
  }

  #holdAnswer(window: 'create' | 'submit'): void {
    const hold = (match: FaultMatch, times: number): void =>
      this.#stage.emulator.addFault({
        match: { method: 'POST', ...match },
        times,
        do: { latency_ms: HOLD_MS, after: true },
      });
    // On the Responses wire a create may come first.
    if (window === 'submit') return hold({ path: '/(submit_tool_outputs|responses)$/' }, 2);
    const next = this.#random.chance(0.5) ? this.#unbegun.slice(0, NEXT) : [];
    // There a create and a submit have one path: what a run asks for first is a create.
    for (const model of next) hold({ path: '/responses$/', model, nth: 1 }, 1);
    if (next.length === 0) hold({ path: '/runs$/' }, 1);
  }

  #strike(window: KillWindow, pid: number | null, from: number, to: number): void {
    if (pid === null) return;
    const armed = [...this.#armed].find((held) => held.window === window);
    armed?.strike(pid, this.#random.int(from, Math.max(from, to)));
  }

  #onProvider(entry: JournalEntry): void {
    if (entry.kind === 'request') {
      const request = readRequest(entry);
      this.#open.set(entry.seq, request);
      if (request.kind === 'create') this.#unbegun = this.#unbegun.filter((id) => id !== request.model);
      // A run that continues as new does so before it hands in a round.
      if (request.kind === 'submit' && this.#continuing.has(request.model ?? ''))
        this.#strike('continue_as_new', request.pid, 0, 200);
    } else if (entry.kind === 'answer') {
      const request = this.#open.get(entry.request);
      this.#open.delete(entry.request);
      const status = this.#status.get(request?.subject ?? '');
      if (request?.kind === 'look' && status === 'in_progress') this.#strike('wait', request.pid, 0, 150);
    } else if (entry.kind === 'status') {
      this.#status.set(entry.id, entry.to);
      const made = entry.from === null;
      if (!made && entry.from !== 'requires_action') return;
      const request = [...this.#open.values()].findLast(
        ({ kind, model, subject }) =>
          (kind === 'create' || kind === 'submit') && (made ? model === entry.model : subject === entry.id),
      );
      if (request === undefined) return;
      if (this.#continuing.has(entry.model) && request.kind === 'submit')
        this.#strike('continue_as_new', request.pid, 0, 200);
      if (request.kind === 'create' || request.kind === 'submit')
        this.#strike(request.kind, request.pid, 50, 500);
    }
  }

  #onTool(entry: ToolEntry): void {
    if (entry.event !== 'finished') return;
    const { hold_ms: hold } = entry.args;
    if (hold >= 300) this.#strike('effect', entry.pid, 0, hold - 150);
    else this.#strike('workflow_task', entry.pid, 0, 60);
  }
}
