import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineTool } from '../../src/tools/define-tool.ts';
import { startDrive, WIRES, type Drive } from '../support/drive-harness.ts';

const getWeather = defineTool({
  name: 'get_weather',
  description: 'Weather of a city.',
  parameters: z.object({ city: z.string() }),
  effect: 'none',
  execute: ({ city }) => Promise.resolve({ city, sky: 'clear' }),
});

describe.each(WIRES)('a run on the %s wire', (wire) => {
  let drive: Drive;
  beforeAll(async () => {
    drive = await startDrive(wire, { tools: [getWeather] });
  });
  afterAll(() => drive[Symbol.asyncDispose]());

  test('that wants no tools completes with the text', async () => {
    drive.play('bot', { attempts: [{ steps: [{ answer: 'Hello there' }] }] });
    const id = drive.id('plain');
    const result = await drive.runs.execute({ assistant_id: 'bot', input: 'Hi' }, { id });
    expect(result.output_text).toBe('Hello there');
    expect(result.run).toMatchObject({ id, status: 'completed', object: 'thread.run' });
    expect(result.attempts).toHaveLength(1);
    expect(result.attempts[0]).toMatchObject({ reason: 'completed', adopted: false });
  });

  test('that calls two tools in parallel is answered in one submit', async () => {
    drive.play('bot', {
      attempts: [
        {
          steps: [
            {
              call: [
                { name: 'get_weather', arguments: { city: 'Oslo' } },
                { name: 'get_weather', arguments: { city: 'Rome' } },
              ],
            },
            { answer: '{{outputs}}' },
          ],
        },
      ],
    });
    const id = drive.id('tools');
    const result = await drive.runs.execute({ assistant_id: 'bot', input: 'Weather?' }, { id });
    expect(result.output_text).toContain('Oslo');
    expect(result.output_text).toContain('Rome');
    expect(result.tool_calls.map(({ name, status, reused }) => [name, status, reused])).toEqual([
      ['get_weather', 'completed', false],
      ['get_weather', 'completed', false],
    ]);
  });
});
