/** Structured output: what the result carries, and what becomes of an answer that does not fit. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Script } from '../../src/emulator/index.ts';
import { FIT_THE_FORMAT } from '../../src/workflows/decide.ts';
import { startDrive, WIRES, type Drive } from '../support/drive-harness.ts';

const open: Drive[] = [];
afterEach(async () => {
  for (const drive of open.splice(0)) await drive[Symbol.asyncDispose]();
});

const response_format = {
  type: 'json_schema',
  json_schema: {
    name: 'weather',
    schema: {
      type: 'object',
      properties: { city: { type: 'string' }, celsius: { type: 'integer' } },
      required: ['city', 'celsius'],
      additionalProperties: false,
    },
  },
};
const request = { assistant_id: 'bot', input: 'Weather?', response_format };
const answers = (...texts: readonly string[]): Script => ({
  attempts: texts.map((answer) => ({ steps: [{ answer }] })),
});

async function begin(wire: (typeof WIRES)[number], script: Script): Promise<Drive> {
  const drive = await startDrive(wire);
  open.push(drive);
  drive.play('bot', script);
  return drive;
}

const GOOD = '{"city":"Oslo","celsius":-3}';

describe.each(WIRES)('an answer in a format, on the %s wire', (wire) => {
  test('is in the result as JSON', async () => {
    const drive = await begin(wire, answers(GOOD));
    const result = await drive.runs.execute(request, { id: drive.id('fits') });
    expect(result.output_parsed).toEqual({ city: 'Oslo', celsius: -3 });
    expect(result.output_text).toBe(GOOD);
  });

  test('that does not fit is asked for again, and the model is told why', async () => {
    const drive = await begin(wire, answers('It is cold.', '{"city":"Oslo"}', GOOD));
    const result = await drive.runs.execute(
      { ...request, additional_instructions: 'Be brief.' },
      { id: drive.id('misfit') },
    );
    expect(result.output_parsed).toEqual({ city: 'Oslo', celsius: -3 });
    expect(result.attempts.map(({ reason }) => reason)).toEqual([
      'invalid_output',
      'invalid_output',
      'completed',
    ]);
    const told = drive.emulator
      .journal()
      .flatMap((entry) => (entry.kind === 'request' ? [JSON.stringify(entry.body ?? null)] : []))
      .filter((body) => body.includes(FIT_THE_FORMAT));
    expect(told).toHaveLength(2);
    expect(told.every((body) => body.includes('Be brief.'))).toBe(true);
  });

  test('that never fits ends the run with what was said, and nothing parsed', async () => {
    const drive = await begin(wire, answers('It is cold.'));
    const run = await drive.runs.start(
      { ...request, retry: { invalid_output: 'end' } },
      { id: drive.id('never') },
    );
    const outcome = await run.outcome();
    expect(outcome.code).toBe('invalid_output');
    expect(outcome.output_text).toBe('It is cold.');
    expect(outcome).not.toHaveProperty('output_parsed');
  });
});

test('a refusal is no misfit', async () => {
  const drive = await begin('responses', { attempts: [{ steps: [{ refuse: 'I will not.' }] }] });
  const result = await drive.runs.execute(request, { id: drive.id('refusal') });
  expect(result).toMatchObject({ code: null, refusal: 'I will not.' });
  expect(result).not.toHaveProperty('output_parsed');
});
