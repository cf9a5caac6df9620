/** The request of a run: whatever a service passes, it is taken in as JSON or refused with every mistake. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RunRequest } from '../../src/contract.ts';
import { isInvalidRequestError } from '../../src/errors.ts';
import { checkRunId, checkRunRequest, parseRunRequest, requestDigest } from '../../src/request.ts';
import { expectIssues, expectTold, fuzz } from '../support/fuzz.ts';
import { anyValue, mutated, realise } from '../support/fuzz-values.ts';

/** Stands in everything that is content, and may stand in no message. */
const MARK = 'MARKED-PROMPT';

const VALID: RunRequest = {
  assistant_id: 'support',
  backend: 'openai',
  thread_id: 'thread_1',
  input: [
    {
      role: 'user',
      content: [
        { type: 'text', text: MARK },
        { type: 'image_url', image_url: { url: `https://example.com/${MARK}.png`, detail: 'low' } },
        { type: 'file', file: { file_id: 'file-2', filename: 'a.pdf' } },
      ],
      attachments: [{ file_id: 'file-3', tools: [{ type: 'file_search' }] }],
      metadata: { page: MARK },
    },
  ],
  context: { tenant_id: MARK, nested: [1, null, { a: true }] },
  model: 'gpt-x',
  instructions: MARK,
  additional_messages: [{ role: 'assistant', content: MARK }],
  tools: [
    'get_order',
    { type: 'function', function: { name: 'refund', parameters: { type: 'object', properties: {} } } },
    {
      type: 'mcp',
      server_label: 'crm',
      server_url: 'https://crm.example',
      headers: { Authorization: { secret: 'CRM' } },
    },
  ],
  metadata: { ticket: MARK },
  temperature: 0,
  max_completion_tokens: 4_000,
  truncation_strategy: { type: 'last_messages', last_messages: 10 },
  tool_choice: { type: 'function', function: { name: 'refund' } },
  response_format: { type: 'json_schema', json_schema: { name: 'a', schema: {} } },
  retry: { attempts: 2, expired: 'end', budget_factor: 1.5, backoff_seconds: 0.5 },
  limits: { deadline_seconds: 60, attempt_seconds: 30, rounds: 3, history_events: 100 },
};

function expectTakenOrRefused(recipe: unknown): void {
  const value = realise(recipe);
  const checked = checkRunRequest(value);
  if (checked.request !== undefined) {
    // It goes through Temporal as JSON, and the same request has the same name.
    const sent = JSON.parse(JSON.stringify(checked.request)) as RunRequest;
    assert.equal(checkRunRequest(sent).issues, undefined);
    assert.equal(requestDigest(sent), requestDigest(checked.request));
    return;
  }
  expectIssues(checked.issues);
  assert.ok(!JSON.stringify(checked.issues).includes(MARK));
  try {
    parseRunRequest(value);
    expect.unreachable();
  } catch (error) {
    if (!isInvalidRequestError(error)) throw error;
    expectTold(error.message);
  }
}

describe('a run request', () => {
  test('of anything at all is refused by name', async () => {
    expect(await fuzz(fc.property(anyValue, expectTakenOrRefused))).toBeNull();
  });

  test('with something odd in it is taken or refused by name, without its content', async () => {
    assert.equal(checkRunRequest(VALID).issues, undefined);
    expect(await fuzz(fc.property(mutated(VALID, anyValue), expectTakenOrRefused), 300)).toBeNull();
  });

  test('has an id of text or none', async () => {
    expect(
      await fuzz(
        fc.property(anyValue, (recipe) => {
          const issue = checkRunId(realise(recipe));
          if (issue !== null) expectIssues([issue]);
        }),
      ),
    ).toBeNull();
  });
});
