import { describe, expect, test } from 'vitest';
import { planRuns } from '../../faults/plan.ts';
import { OptionsError, readOptions } from '../../faults/options.ts';
import { SHAPES } from '../../faults/shapes.ts';
import { identityOf, TOOL_NAMES, traitsOf } from '../../faults/tool-table.ts';
import { startEmulator } from '../../src/emulator/index.ts';
import { checkRunRequest } from '../../src/request.ts';

const plans = planRuns(1, { count: 1_000, spanMs: 60_000, prefix: 'faults-1' });
const share = (fits: (plan: (typeof plans)[number]) => boolean): number =>
  plans.filter(fits).length / plans.length;

describe('the run plans of a seed', () => {
  test('are the same each time, whatever their number, and others for another seed', () => {
    expect(planRuns(1, { count: 10, spanMs: 60_000, prefix: 'faults-1' })).toEqual(plans.slice(0, 10));
    const others = planRuns(2, { count: 10, spanMs: 60_000, prefix: 'faults-1' });
    expect(others.map(({ attempts }) => attempts)).not.toEqual(
      plans.slice(0, 10).map(({ attempts }) => attempts),
    );
  });

  test('have every shape, tool, number of rounds and of calls', () => {
    expect(new Set(plans.map(({ shape }) => shape))).toEqual(new Set(SHAPES));
    const rounds = plans.flatMap(({ attempts }) => attempts[0]?.rounds.length ?? []);
    expect(new Set(rounds)).toEqual(new Set([0, 1, 2, 3, 4, 5]));
    const calls = plans.flatMap(({ attempts }) => attempts[0]?.rounds.map(({ length }) => length) ?? []);
    expect(new Set(calls)).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8, 9]));
    const tools = plans.flatMap(({ attempts }) => attempts[0]?.rounds.flat().map(({ tool }) => tool) ?? []);
    expect(new Set(tools)).toEqual(new Set(TOOL_NAMES));
  });

  test('are on both wires, with a thread and without, and some continue as new', () => {
    for (const wire of ['assistants', 'responses'] as const)
      for (const onThread of [true, false])
        expect(share((plan) => plan.wire === wire && plan.onThread === onThread)).toBeGreaterThan(0.1);
    expect(share(({ limits }) => limits.history_events !== undefined)).toBeGreaterThan(0.1);
  });

  test('have a limit of rounds now and then, which ends them before their model answers', () => {
    const roundsIn = ({ attempts: [first] }: (typeof plans)[number]): number => first?.rounds.length ?? 0;
    const able = plans.filter((plan) => roundsIn(plan) >= 2);
    const limited = plans.filter(({ limits }) => limits.rounds !== undefined);
    expect(limited.length / able.length).toBeGreaterThan(0.03);
    expect(limited.length / able.length).toBeLessThan(0.1);
    for (const plan of limited) {
      expect(plan.limits.rounds).toBeGreaterThanOrEqual(1);
      expect(plan.limits.rounds).toBeLessThan(roundsIn(plan));
      expect(plan.ends).toContain('rounds_exceeded');
      expect(plan.ends).not.toContain(null);
    }
    expect(plans.filter(({ ends }) => ends.includes('rounds_exceeded'))).toEqual(limited);
  });

  test('have some `once` calls that answer late, and the same effect twice in a round stays one', () => {
    const asked = plans.flatMap(({ attempts }) => attempts[0]?.rounds.flat() ?? []);
    const once = asked.filter(({ tool }) => traitsOf(tool).effect === 'once');
    const held = once.filter(({ args }) => args.hold_ms >= 3_000);
    expect(held.length / once.length).toBeGreaterThan(0.07);
    expect(held.length / once.length).toBeLessThan(0.13);
    expect(asked.filter(({ args }) => args.hold_ms >= 3_000)).toEqual(held);
    const byItem = new Map(asked.map((call) => [call.args.item, identityOf(call.tool, call.args)]));
    for (const { tool, args } of asked) expect(identityOf(tool, args)).toBe(byItem.get(args.item));
  });

  test('are cancelled by their service at any time, half of them as they begin', () => {
    const after = plans.flatMap(({ cancelAfterMs }) => cancelAfterMs ?? []);
    expect(after.filter((ms) => ms <= 1_500).length / after.length).toBeGreaterThan(0.35);
    expect(after.filter((ms) => ms > 1_500).length / after.length).toBeGreaterThan(0.25);
    expect(Math.min(...after)).toBeLessThan(200);
  });

  test('share threads now and then, soon after the one that they follow, in each way of doing so', () => {
    const byId = new Map(plans.map((plan) => [plan.id, plan]));
    const followers = plans.filter(({ follows }) => follows !== null);
    expect(followers.length / plans.length).toBeGreaterThan(0.1);
    expect(new Set(followers.map(({ onBusyThread }) => onBusyThread)).size).toBe(3);
    for (const { follows, wire, startsAfterMs } of followers) {
      const leader = byId.get(follows!)!;
      expect(leader).toMatchObject({ wire, onThread: true, follows: null });
      expect(startsAfterMs).toBeGreaterThan(leader.startsAfterMs);
    }
  });

  test('ask again in other words, or in another order, in a third of the attempts', () => {
    const again = plans.flatMap(({ attempts: [first, ...more] }) =>
      more.map(({ rounds }) => {
        const asked = (all: typeof rounds) =>
          all.map((calls) => calls.map(({ tool, args }) => ({ tool, args })));
        return JSON.stringify(asked(rounds)) !== JSON.stringify(asked(first?.rounds ?? []));
      }),
    );
    const reworded = again.filter(Boolean).length / again.length;
    // A run of one call cannot ask in another order.
    expect(reworded).toBeGreaterThan(0.1);
    expect(reworded).toBeLessThan(1 / 3);
  });

  test('give every call an id of its own', () => {
    const ids = plans.flatMap(({ attempts }) =>
      attempts.flatMap(({ rounds }) => rounds.flat().map(({ id }) => id)),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => id.length > 64)).toEqual([]);
  });

  test('are scripts that the emulator plays, and limits that Drover takes', async () => {
    const emulator = await startEmulator();
    try {
      for (const { id, script } of plans) emulator.setScript(id, script);
    } finally {
      await emulator.close();
    }
    const refused = plans.filter(
      ({ retry, limits, input }) => checkRunRequest({ assistant_id: 'faults', retry, limits, input }).issues,
    );
    expect(refused).toEqual([]);
  });
});

describe('the options', () => {
  const newSeed = (): number => 77;

  test('have defaults', () => {
    expect(readOptions([], newSeed)).toEqual({
      runs: 100,
      seed: 77,
      minutes: 3,
      json: null,
      driver: 'drover',
      faults: true,
    });
  });

  test('are read', () => {
    const given = [
      '--runs',
      '5',
      '--seed=9',
      '--minutes',
      '0.5',
      '--json',
      'a.json',
      '--driver',
      'textbook',
      '--no-faults',
    ];
    expect(readOptions(given, newSeed)).toEqual({
      runs: 5,
      seed: 9,
      minutes: 0.5,
      json: 'a.json',
      driver: 'textbook',
      faults: false,
    });
    expect(readOptions(['--help'], newSeed)).toBeNull();
  });

  test('name all their mistakes at once', () => {
    const given = [
      '--runs',
      '0',
      '--seed',
      'x',
      '--minutes',
      '-1',
      '--driver',
      'car',
      '--loud',
      'extra',
      '--json',
    ];
    let message = '';
    try {
      readOptions(given, newSeed);
    } catch (error) {
      if (error instanceof OptionsError) ({ message } = error);
    }
    for (const mistake of ['--runs', '--seed', '--minutes', '--driver', '--loud', 'extra', '--json'])
      expect(message).toContain(mistake);
  });

  test.each([
    [['--json', '--no-faults'], '--no-faults follows'],
    [['--no-faults=true'], "--no-faults takes no value, not 'true'"],
    [['--help=x'], "--help takes no value, not 'x'"],
    [['--json', 'nowhere/at/all.json'], 'nowhere/at'],
  ])('refuse %j, before anything runs', (given, mistake) => {
    expect(() => readOptions(given, newSeed)).toThrow(mistake);
  });
});
