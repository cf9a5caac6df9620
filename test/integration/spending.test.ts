/** What a run may spend: tokens and money, over all its rounds and attempts. */
import { afterEach, describe, expect, test } from 'vitest';
import type { DroverConfig } from '../../src/config.ts';
import type { Script, Step } from '../../src/emulator/index.ts';
import { isTerminal } from '../../src/run.ts';
import { startDrive, WIRES, type Drive } from '../support/drive-harness.ts';
import { call, recordingTools, type Recording } from '../support/recording-tools.ts';

const open: Drive[] = [];
afterEach(async () => {
  for (const drive of open.splice(0)) await drive[Symbol.asyncDispose]();
});

async function begin(
  wire: (typeof WIRES)[number],
  script: Script,
  config: Partial<DroverConfig> = {},
): Promise<{ readonly drive: Drive; readonly shop: Recording }> {
  const shop = recordingTools();
  const drive = await startDrive(wire, { tools: shop.tools, config });
  open.push(drive);
  drive.play('bot', script);
  return { drive, shop };
}

const note: Step = { call: [call('set_note', { order_id: '7' })] };
const answer: Step = { answer: 'Done.' };
const broken: Step = { fail: { code: 'server_error', message: 'It broke.' } };
const rounds: Script = { attempts: [{ steps: [note, note, note, answer] }] };
const request = { assistant_id: 'bot', input: 'Go' };
/** A cent a token. */
const price: NonNullable<DroverConfig['price']> = ({ total_tokens }) => total_tokens / 100;

const allEnded = (drive: Drive): boolean => {
  const last = new Map(
    drive.emulator.journal().flatMap((entry) => (entry.kind === 'status' ? [[entry.id, entry.to]] : [])),
  );
  return [...last.values()].every((status) => isTerminal(status));
};

describe('a limit of tokens', () => {
  test('ends a chain before the round that would go on over it, and runs no tool for it', async () => {
    const { drive, shop } = await begin('responses', rounds);
    const run = await drive.runs.start({ ...request, limits: { tokens: 150 } }, { id: drive.id('tokens') });
    const outcome = await run.outcome();
    expect(outcome.code).toBe('token_limit');
    expect(outcome.run.status).toBe('incomplete');
    expect(outcome.usage.total_tokens).toBeGreaterThanOrEqual(150);
    expect(shop.effects.length).toBeLessThan(3);
    expect(outcome.attempts[0]).toMatchObject({ status: 'cancelled', reason: 'given_up' });
    expect(allEnded(drive)).toBe(true);
  });

  test.each(WIRES)('counts all attempts, on the %s wire', async (wire) => {
    // On the Responses wire a failed step is made again within its attempt's chain; what vanished is not.
    const lost: Step = wire === 'responses' ? { vanish: true } : broken;
    const { drive } = await begin(wire, { attempts: [{ steps: [note, lost] }] });
    const limited = {
      ...request,
      limits: { tokens: 250 },
      retry: { attempts: 10, backoff_seconds: 0.1 },
    };
    const outcome = await (await drive.runs.start(limited, { id: drive.id('attempts') })).outcome();
    expect(outcome.code).toBe('token_limit');
    expect(outcome.attempts.length).toBeLessThan(5);
    expect(outcome.attempts.length).toBeGreaterThan(1);
  });

  test('can be raised by a retry, which goes on', async () => {
    const { drive, shop } = await begin('responses', {
      attempts: [{ steps: [note, note, answer] }, { steps: [note, note, answer] }],
    });
    const id = drive.id('raised');
    const first = await drive.runs.start({ ...request, limits: { tokens: 50 } }, { id });
    expect((await first.outcome()).code).toBe('token_limit');
    const result = await (await drive.runs.retry(id, { limits: { tokens: 100_000 } })).result();
    expect(result.output_text).toBe('Done.');
    expect(shop.effects).toHaveLength(2);
  });
});

describe('what a run costs', () => {
  test('stands in the result, by attempt and in all, and in the progress', async () => {
    const { drive } = await begin(
      'responses',
      { attempts: [{ steps: [broken] }, { steps: [note, answer] }] },
      { price },
    );
    const result = await drive.runs.execute(
      { ...request, retry: { backoff_seconds: 0.1 } },
      { id: drive.id('cost') },
    );
    expect(result.attempts).toHaveLength(2);
    expect(result.cost).toBeCloseTo(result.usage.total_tokens / 100, 6);
    expect(result.attempts.at(-1)?.cost).toBeGreaterThan(0);
    expect((await drive.runs.getHandle(result.run.id).progress()).cost).toBe(result.cost);
  });

  test('is limited by the ceiling of the configuration, whatever the request says', async () => {
    const { drive } = await begin('responses', rounds, { price, ceilings: { cost: 1.5 } });
    const run = await drive.runs.start({ ...request, limits: { cost: 1_000 } }, { id: drive.id('ceiling') });
    const outcome = await run.outcome();
    expect(outcome.code).toBe('cost_limit');
    expect(outcome.cost).toBeGreaterThanOrEqual(1.5);
    expect(outcome.cost).toBeLessThan(4);
    expect(allEnded(drive)).toBe(true);
  });

  test('that nobody can tell stops a run that has a limit of it, and no other', async () => {
    const silent = { price: () => Number.NaN };
    const { drive } = await begin('responses', rounds, silent);
    const limited = await drive.runs.start({ ...request, limits: { cost: 5 } }, { id: drive.id('nan') });
    expect((await limited.outcome()).code).toBe('cost_limit');
    const free = await drive.runs.execute(request, { id: drive.id('free') });
    expect(free).not.toHaveProperty('cost');
  });

  test('cannot be limited where the configuration has no price: nothing is created', async () => {
    const { drive } = await begin('responses', rounds);
    const run = await drive.runs.start({ ...request, limits: { cost: 5 } }, { id: drive.id('unpriced') });
    const outcome = await run.outcome();
    expect(outcome.code).toBe('invalid_request');
    expect(outcome.issues).toMatchObject([{ field: 'limits.cost' }]);
    expect(drive.emulator.journal().filter(({ kind }) => kind === 'status')).toEqual([]);
  });
});
