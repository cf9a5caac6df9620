/** All that one emulator holds. In memory, and gone with it. */
import type { NamedOutput, Position } from './engine.ts';
import { startPosition } from './engine.ts';
import type { Faults } from './faults.ts';
import type { Journal, WireName } from './journal.ts';
import type { Quirk } from './quirks.ts';
import { DEFAULT_SCRIPT } from './script.ts';
import type { ResponseStream } from './responses-stream.ts';
import type { Script } from './script.ts';
import type { Timers } from './timers.ts';
import type { Webhooks } from './webhooks.ts';

export type Wire = Record<string, unknown>;
export type Metadata = Record<string, string>;

export interface Assistant extends Wire {
  readonly id: string;
  model: string;
}

export interface Message extends Wire {
  readonly id: string;
  readonly run_id: string | null;
}

/** A function call that waits for its output. */
export interface OpenCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

export interface RunStep extends Wire {
  readonly id: string;
  readonly type: 'message_creation' | 'tool_calls';
}

export interface Run {
  readonly id: string;
  readonly threadId: string;
  readonly createdMs: number;
  /** The wire object, kept whole; {@link Run.view} of it is what leaves. */
  readonly object: Wire & { status: string; metadata: Metadata; model: string };
  readonly budget: number | null;
  position: Position;
  open: readonly OpenCall[];
  readonly steps: RunStep[];
  /** A `hang`: the clock does not end it either. */
  immortal: boolean;
  /** Tokens of the turns that ended. */
  used: { prompt: number; completion: number };
}

export interface Thread {
  readonly object: Wire & { readonly id: string; metadata: Metadata };
  readonly messages: Message[];
  readonly runs: Run[];
}

/** An item of a response's input, output or of a conversation. */
export interface Item extends Wire {
  readonly id: string;
  readonly type: string;
}

export interface StoredResponse {
  readonly id: string;
  readonly object: Wire & { status: string; metadata: Metadata; model: string; output: Item[] };
  readonly stored: boolean;
  readonly background: boolean;
  readonly conversation: Conversation | null;
  /** What it was asked with, without what came before. */
  readonly input: readonly Item[];
  /** Everything that the model saw: what came before, and `input`. */
  readonly context: readonly Item[];
  readonly budget: number | null;
  /** Reasoning comes with its encrypted form, for callers that keep it themselves. */
  readonly encrypts: boolean;
  readonly start: Position;
  end: Position;
  /** The response whose turn this one goes on from. */
  readonly maker: StoredResponse | null;
  /** The last response that went on from this one. */
  successor: StoredResponse | null;
  /** Null where it was created without `stream`. */
  readonly stream: ResponseStream | null;
  /** Called once when it has ended. */
  readonly waiters: Set<() => void>;
}

export interface Conversation {
  readonly object: Wire & { readonly id: string; metadata: Metadata };
  readonly items: Item[];
  active: StoredResponse | null;
  /** The last response that was created in it. */
  last: StoredResponse | null;
}

/** How long the emulator takes for what no script says, in milliseconds. */
export interface Pace {
  /** From queued to in progress. */
  readonly queuedMs: number;
  /** From cancelling to its end. */
  readonly cancelMs: number;
  /** Between two deltas of a stream. */
  readonly deltaMs: number;
}

export interface World {
  readonly assistants: Map<string, Assistant>;
  readonly threads: Map<string, Thread>;
  readonly responses: Map<string, StoredResponse>;
  /** Responses that have not ended, also those that no store keeps. */
  readonly liveResponses: Set<StoredResponse>;
  readonly conversations: Map<string, Conversation>;
  /** Runs of the Assistants wire as they were shown before they took their last outputs, by id. */
  readonly beforeOutputs: Map<string, unknown>;
  /** Which response made a call, by call id. */
  readonly callMakers: Map<string, StoredResponse>;
  readonly scripts: Map<string, Script>;
  /** Attempts played, by logical run. */
  readonly played: Map<string, number>;
  readonly journal: Journal;
  readonly timers: Timers;
  readonly faults: Faults;
  readonly webhooks: Webhooks;
  quirks: ReadonlySet<Quirk>;
  readonly pace: Pace;
  readonly expiresAfterMs: number;
  readonly apiKey: string | null;
}

/** The start of the next attempt of a logical run; a logical run without a key of its own has one attempt only. */
export function nextAttempt(world: World, model: string, runKey: string | null): Position {
  const script = world.scripts.get(model) ?? DEFAULT_SCRIPT;
  if (runKey === null) return startPosition(script, 0);
  const key = `${model}\n${runKey}`;
  const index = world.played.get(key) ?? 0;
  world.played.set(key, index + 1);
  return startPosition(script, index);
}

/** What makes several runs one: the caller's own mark in the metadata, else where they run. */
export function logicalKey(metadata: Metadata, place: string | null): string | null {
  return metadata['drover_run'] === undefined ? place : `run ${metadata['drover_run']}`;
}

export function recordStatus(
  world: World,
  wire: WireName,
  subject: { readonly id: string; readonly object: Run['object'] },
  from: string | null,
  thread: string | null,
  attempt: number,
): void {
  const { status, metadata, model } = subject.object;
  if (from === status) return;
  world.journal.add({
    kind: 'status',
    wire,
    id: subject.id,
    from,
    to: status,
    metadata: { ...metadata },
    thread,
    model,
    attempt,
  });
}

const ENDED: ReadonlySet<string> = new Set(['cancelled', 'failed', 'completed', 'incomplete', 'expired']);

export function hasEnded(status: string): boolean {
  return ENDED.has(status);
}

/** The outputs with the names of the calls that they answer. */
export function nameOutputs(
  calls: readonly { readonly id: string; readonly name: string }[],
  outputs: readonly { readonly id: string; readonly output: string }[],
): readonly NamedOutput[] {
  return calls.flatMap((call) => {
    const found = outputs.find((output) => output.id === call.id);
    return found === undefined ? [] : [{ name: call.name, output: found.output }];
  });
}
