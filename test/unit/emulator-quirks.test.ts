import { expect, test } from 'vitest';
import { WireError } from '../../src/emulator/errors.ts';
import { bendError, bendRun } from '../../src/emulator/quirks.ts';
import type { Quirk } from '../../src/emulator/quirks.ts';

const run = {
  id: 'run_1',
  object: 'thread.run',
  status: 'queued',
  created_at: 100,
  started_at: null,
  required_action: null,
  last_error: { code: 'server_error', message: 'Sorry.' },
  incomplete_details: { reason: 'max_completion_tokens' },
  model: 'm',
  metadata: {},
};
const bent = (quirk: Quirk): Record<string, unknown> => bendRun(run, 'assistants', new Set([quirk]));

test.each([
  ['float_timestamps', 'created_at', 100.25],
  ['zero_timestamps', 'started_at', 0],
  ['absent_nulls', 'started_at', undefined],
  ['empty_required_action', 'required_action', {}],
  ['string_last_error', 'last_error', 'Sorry.'],
  ['reason_length', 'incomplete_details', { reason: 'length' }],
  ['sparse_queued', 'model', null],
] as const)('%s bends %s', (quirk, field, expected) => {
  expect(bent(quirk)[field]).toEqual(expected);
});

test('bends nothing without a quirk, and leaves the run itself alone', () => {
  expect(bendRun(run, 'assistants', new Set())).toEqual(run);
  bent('sparse_queued');
  expect(run.model).toBe('m');
});

test('a budget reason only is called length', () => {
  const filtered = { ...run, incomplete_details: { reason: 'content_filter' } };
  expect(bendRun(filtered, 'assistants', new Set<Quirk>(['reason_length']))).toEqual(filtered);
});

test.each([
  [[], { error: { message: 'No.', type: 'invalid_request_error', param: null, code: 'c' } }],
  [['plain_text_errors'], 'No.'],
  [['detail_errors'], { detail: 'No.' }],
  [['unwrapped_errors'], { message: 'No.', type: 'invalid_request_error', param: null, code: 'c' }],
] as const)('an error with %j has its body', (quirks, body) => {
  expect(bendError(new WireError(400, 'No.', { code: 'c' }), new Set<Quirk>(quirks)).body).toEqual(body);
});
