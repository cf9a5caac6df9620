/** An emulator of a test's own, with the official client on it. Closed when the test is over. */
import OpenAI, { APIError } from 'openai';
import { onTestFinished } from 'vitest';
import { startEmulator } from '../../src/emulator/index.ts';
import type { Emulator, EmulatorOptions, Step, StatusEntry } from '../../src/emulator/index.ts';

export interface Fixture {
  readonly emulator: Emulator;
  readonly client: OpenAI;
  /** Resolves when this run or response has got this status, now or earlier. */
  reached(id: string, status: string): Promise<StatusEntry>;
  /** Every status that it had, in order. */
  statuses(id: string): readonly string[];
  /** A request as it is, without the client's checks. */
  request(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Raw>;
}

export interface Raw {
  readonly status: number;
  readonly text: string;
  readonly json: Record<string, unknown>;
  readonly headers: Headers;
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** One script under the name `model`, given as the steps of each attempt. */
export const scripted = (...attempts: readonly (readonly Step[])[]): Pick<EmulatorOptions, 'scripts'> => ({
  scripts: { model: { attempts: attempts.map((steps) => ({ steps })) } },
});

export async function openEmulator(options: EmulatorOptions = {}): Promise<Fixture> {
  const emulator = await startEmulator({ queuedMs: 1, cancelMs: 1, ...options });
  onTestFinished(() => emulator.close());
  const key = options.apiKey ?? 'test-key';
  return {
    emulator,
    client: new OpenAI({ baseURL: emulator.url, apiKey: key, maxRetries: 0 }),
    reached: async (id, status) =>
      (await emulator.waitFor(
        (entry) => entry.kind === 'status' && entry.id === id && entry.to === status,
      )) as StatusEntry,
    statuses: (id) =>
      emulator.journal().flatMap((entry) => (entry.kind === 'status' && entry.id === id ? [entry.to] : [])),
    request: async (method, path, body, headers = {}) => {
      const response = await fetch(`${emulator.url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': 'application/json',
          'openai-beta': 'assistants=v2',
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, text, json: parse(text), headers: response.headers };
    },
  };
}

/** A thread with one message, and an assistant that plays `model`. */
export async function openThread({
  emulator,
  client,
}: Fixture): Promise<{ thread: string; assistant: string }> {
  const thread = await client.beta.threads.create({ messages: [{ role: 'user', content: 'Where is it?' }] });
  return { thread: thread.id, assistant: emulator.createAssistant({ model: 'model' }) };
}

/** What a request is refused with: its status, code and message. */
export async function refusal(
  promise: Promise<unknown>,
): Promise<{ status: unknown; code: unknown; message: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof APIError) {
      const { status, code, message } = error as { status: unknown; code: unknown; message: string };
      return { status, code, message: message.replace(/^\d+ /, '') };
    }
    throw error;
  }
  throw new Error('The request was accepted, and should have been refused.');
}
