/** The embedded provider: a script, a fault or a request of anything is taken, or refused as the wires refuse. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEmulator } from '../../src/emulator/index.ts';
import type { Emulator } from '../../src/emulator/index.ts';
import { checkFault, FaultError } from '../../src/emulator/faults.ts';
import { checkScript, ScriptError } from '../../src/emulator/script.ts';
import { expectTold, fuzz } from '../support/fuzz.ts';
import { anyJson, anyMistake, anyText, jsonText, mutated, realise } from '../support/fuzz-values.ts';

const SCRIPT = {
  attempts: [
    {
      steps: [
        { think_ms: 1 },
        { call: [{ name: 'f', arguments: { a: 1 }, id: 'call_1' }] },
        { answer: 'Done.' },
      ],
      on_cancel: 'completed',
    },
  ],
};
const FAULT = {
  match: { method: 'POST', path: '/runs$/', nth: 1 },
  times: 1,
  probability: 1,
  do: { reset: 'after' },
};

const BODIES: Readonly<Record<string, unknown>> = {
  '/v1/threads': { messages: [{ role: 'user', content: 'Hello.' }], metadata: { a: 'b' } },
  '/v1/threads/thread_1/runs': { assistant_id: 'asst_1', instructions: 'i', tools: [], stream: false },
  '/v1/responses': {
    model: 'm',
    input: [{ role: 'user', content: [{ type: 'input_text', text: 'Hello.' }] }],
    tools: [{ type: 'function', name: 'f', parameters: {}, strict: false }],
    metadata: { a: 'b' },
  },
  '/v1/conversations': { items: [{ type: 'message', role: 'user', content: 'Hello.' }], metadata: {} },
  '/_emulator/faults': FAULT,
};

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());

describe('the emulator', () => {
  test('reads any script and any fault, or names the mistakes', async () => {
    const given = fc.oneof(
      mutated(SCRIPT, anyMistake).map((value) => [checkScript.bind(null, 'bot'), value] as const),
      mutated(FAULT, anyMistake).map((value) => [checkFault, value] as const),
      anyMistake.map((value) => [checkFault, value] as const),
    );
    expect(
      await fuzz(
        fc.property(given, ([check, recipe]) => {
          try {
            check(realise(recipe));
          } catch (error) {
            if (!(error instanceof ScriptError || error instanceof FaultError)) throw error;
            assert.ok(error.mistakes.length > 0);
          }
        }),
        300,
      ),
    ).toBeNull();
  });

  test('answers any request as the wires do', async () => {
    const request = fc
      .constantFrom(...Object.keys(BODIES))
      .chain((path) =>
        fc.tuple(
          fc.constant(path),
          fc.oneof(
            { arbitrary: mutated(BODIES[path], anyJson).map(jsonText), weight: 3 },
            anyJson.map(jsonText),
            anyText,
          ),
        ),
      );
    expect(
      await fuzz(
        fc.asyncProperty(request, async ([path, body]) => {
          const answer = await fetch(new URL(path, emulator.url), {
            method: 'POST',
            body,
            headers: { 'content-type': 'application/json', authorization: 'Bearer key' },
          });
          const text = await answer.text();
          assert.ok(answer.status < 500, `${answer.status} ${text}`);
          if (answer.status >= 400) expectTold(text);
          emulator.clearFaults();
        }),
        150,
      ),
    ).toBeNull();
  });
});
