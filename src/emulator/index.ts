/** The embedded provider: both wires over HTTP, in memory, with a scripted model, faults and a journal. */
import type { AddressInfo } from 'node:net';
import { addAdmin, liveRuns, readQuirks } from './admin.ts';
import type { LiveRun } from './admin.ts';
import { makeAssistant } from './assistants-objects.ts';
import { ASSISTANT_BODY } from './body-assistants.ts';
import { checkFault, Faults } from './faults.ts';
import type { Fault } from './faults.ts';
import { Journal } from './journal.ts';
import type { JournalEntry } from './journal.ts';
import type { Quirk } from './quirks.ts';
import { checkScript } from './script.ts';
import type { Script } from './script.ts';
import { buildServer } from './server.ts';
import { Timers } from './timers.ts';
import { checkTarget, Webhooks } from './webhooks.ts';
import type { WebhookTarget } from './webhooks.ts';
import type { World } from './world.ts';

export type { LiveRun } from './admin.ts';
export type { Fault, FaultAction, FaultMatch } from './faults.ts';
export type { AnswerEntry, JournalEntry, RequestEntry, StatusEntry, WebhookEntry } from './journal.ts';
export { QUIRKS } from './quirks.ts';
export type { Quirk } from './quirks.ts';
export { ScriptError } from './script.ts';
export type { Script, ScriptAttempt, ScriptCall, Step } from './script.ts';
export type { WebhookTarget } from './webhooks.ts';

export interface EmulatorOptions {
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** @default 0, any free one */
  readonly port?: number;
  /** By the name of the model that plays them. */
  readonly scripts?: Readonly<Record<string, Script>>;
  /** How long a run lives on the Assistants wire, from its create. @default 600000 */
  readonly expiresAfterMs?: number;
  /** When set, every other key is answered 401. @default null */
  readonly apiKey?: string | null;
  /** Gets every entry of the journal as a line of JSON. */
  readonly journalFile?: string;
  /** @default none */
  readonly quirks?: readonly Quirk[];
  /** From queued to in progress. @default 5 */
  readonly queuedMs?: number;
  /** From cancelling to its end. @default 5 */
  readonly cancelMs?: number;
  /** Between two words of an answer that is streamed. @default 20 */
  readonly deltaMs?: number;
  /** Who is told of responses in the background that have ended. @default nobody */
  readonly webhooks?: WebhookTarget;
  /** For faults with a probability: a number from 0 up to 1. @default Math.random */
  readonly random?: () => number;
}

export interface Emulator {
  /** Base URL of both wires: `http://127.0.0.1:PORT/v1`. */
  readonly url: string;
  /** `http://127.0.0.1:PORT/_emulator`. */
  readonly adminUrl: string;
  /** The newest entries: the journal's file has all of them, its memory the last 200,000. */
  journal(): readonly JournalEntry[];
  /** The first entry, past or to come, that fits. Rejects when the emulator closes before. */
  waitFor(fits: (entry: JournalEntry) => boolean): Promise<JournalEntry>;
  /** @throws {ScriptError} with every mistake named. */
  setScript(name: string, script: Script): void;
  /** Makes an assistant, or makes the one with this id anew, and gives its id. */
  createAssistant(assistant: {
    readonly id?: string;
    readonly model: string;
    readonly instructions?: string;
    readonly tools?: readonly object[];
  }): string;
  addFault(fault: Fault): void;
  clearFaults(): void;
  /** Who is told from now on; null: nobody. */
  setWebhooks(target: WebhookTarget | null): void;
  /** Every run and response that has not ended. */
  liveRuns(): readonly LiveRun[];
  /** Replaces the quirks that are on. */
  setQuirks(quirks: readonly Quirk[]): void;
  /** Cuts every connection, clears every timer. Twice is no error. */
  close(): Promise<void>;
}

function makeWorld(options: EmulatorOptions): World {
  const journal = new Journal(options.journalFile ?? null);
  const timers = new Timers();
  const webhooks = new Webhooks(journal, timers, options.random);
  webhooks.target = options.webhooks === undefined ? null : checkTarget(options.webhooks);
  return {
    assistants: new Map(),
    threads: new Map(),
    responses: new Map(),
    liveResponses: new Set(),
    conversations: new Map(),
    beforeOutputs: new Map(),
    callMakers: new Map(),
    scripts: new Map(
      Object.entries(options.scripts ?? {}).map(([name, script]) => [name, checkScript(name, script)]),
    ),
    played: new Map(),
    journal,
    timers,
    faults: new Faults(options.random),
    webhooks,
    quirks: readQuirks(options.quirks ?? []),
    pace: {
      queuedMs: options.queuedMs ?? 5,
      cancelMs: options.cancelMs ?? 5,
      deltaMs: options.deltaMs ?? 20,
    },
    expiresAfterMs: options.expiresAfterMs ?? 600_000,
    apiKey: options.apiKey ?? null,
  };
}

function makeWaitFor(world: World, closed: AbortSignal): Emulator['waitFor'] {
  return (fits) => {
    const past = world.journal.entries().find(fits);
    if (past !== undefined) return Promise.resolve(past);
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        stopWatching();
        closed.removeEventListener('abort', giveUp);
        act();
      };
      const stopWatching = world.journal.watch((entry) => {
        if (fits(entry)) settle(() => resolve(entry));
      });
      const giveUp = (): void =>
        settle(() => reject(new Error('The emulator was closed before such an entry came.')));
      closed.addEventListener('abort', giveUp, { once: true });
      if (closed.aborted) giveUp();
    });
  };
}

/**
 * Starts the emulator on a port of its own.
 *
 * @throws {ScriptError} where a script has mistakes; the listener's error where the port is taken.
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const world = makeWorld(options);
  const app = buildServer(world);
  addAdmin(app, world);
  const host = options.host ?? '127.0.0.1';
  await app.listen({ host, port: options.port ?? 0 });
  const { port } = app.server.address() as AddressInfo;
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const closed = new AbortController();
  return {
    url: `${origin}/v1`,
    adminUrl: `${origin}/_emulator`,
    journal: () => world.journal.entries(),
    waitFor: makeWaitFor(world, closed.signal),
    setScript: (name, script) => void world.scripts.set(name, checkScript(name, script)),
    createAssistant: ({ id, ...fields }) => makeAssistant(world, ASSISTANT_BODY.parse(fields), id).id,
    addFault: (fault) => world.faults.add(checkFault(fault)),
    clearFaults: () => world.faults.clear(),
    setWebhooks: (target) => {
      world.webhooks.target = target === null ? null : checkTarget(target);
    },
    liveRuns: () => liveRuns(world),
    setQuirks: (quirks) => {
      world.quirks = readQuirks(quirks);
    },
    close: async () => {
      closed.abort();
      world.webhooks.close();
      world.timers.close();
      app.server.closeAllConnections();
      await app.close();
    },
  };
}
