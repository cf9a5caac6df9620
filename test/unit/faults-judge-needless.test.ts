/** What is paid for twice, or waited for too long, though nothing asked for that. */
import { describe, expect, test } from 'vitest';
import { answered, Book, begun, callId, effect, RUN, THREAD } from '../support/faults-book.ts';
import type { BookOptions } from '../support/faults-book.ts';

const pay = effect('pay');

/** A worker cancels it, and it ends so. */
const cancels = (book: Book, id: string): Book => {
  const base = book.plan.wire === 'assistants' ? `/v1/threads/${THREAD}/runs` : '/v1/responses';
  const request = book.ask('POST', `${base}/${id}/cancel`, {});
  return book.becomes(id, 'cancelled').answer(request, id);
};
const goesOn = (book: Book, id: string): Book =>
  book.look(id).becomes(id, 'completed').closes({ ambiguous: true }).probe();

describe('an attempt that a worker cancelled itself', () => {
  const givenUp = (options: BookOptions): Book =>
    cancels(new Book(options).create('a_1').look('a_1'), 'a_1').create(
      'a_2',
      {},
      options.wire !== 'assistants',
    );

  test('is given up without a cause where the run begins again', () => {
    for (const wire of ['assistants', 'responses'] as const) {
      const book = goesOn(givenUp({ wire }), 'a_2');
      expect(book.kinds()).toEqual(['needless_attempts']);
    }
  });

  test('is none where the run ends so, or somebody else had cancelled it', () => {
    const ends = new Book({ ends: ['cancelled'] }).create('run_1').look('run_1');
    expect(cancels(ends, 'run_1').closes({ code: 'cancelled' }).probe().kinds()).toEqual([]);
    const book = new Book().create('run_1').look('run_1').becomes('run_1', 'cancelled');
    expect(goesOn(book.create('run_2', {}, false), 'run_2').kinds()).toEqual([]);
  });

  test('is none where it was the younger of two', () => {
    const book = new Book({ wire: 'responses' }).create('resp_1', { delivered: false }).create('resp_2');
    cancels(book, 'resp_2').becomes('resp_1', 'failed').create('resp_3');
    expect(goesOn(book, 'resp_3').kinds()).not.toContain('needless_attempts');
  });

  test('is none where the one whose answer was lost had answered', () => {
    const second = (delivered: boolean): Book => {
      const book = new Book({ wire: 'responses', onThread: true }).create('resp_1', { delivered });
      book.becomes('resp_1', 'completed').create('resp_2', {}, false);
      return goesOn(cancels(book, 'resp_2').create('resp_3', {}, false), 'resp_3');
    };
    expect(second(false).kinds()).toEqual([]);
    expect(second(true).kinds()).toEqual(['needless_attempts']);
  });
});

describe('a run on the Assistants wire that has completed', () => {
  const again = (to: string, delivered = true): Book => {
    const book = new Book().create('run_1', { delivered }).becomes('run_1', to);
    return goesOn(book.create('run_2', {}, false), 'run_2');
  };

  test('may not be made again, whether its answer came or not', () => {
    expect(again('completed').kinds()).toEqual(['needless_attempts']);
    expect(again('completed', false).kinds()).toEqual(['needless_attempts']);
  });

  test('may where it had expired, or the provider lost it before anybody heard of it', () => {
    expect(again('expired').kinds()).toEqual([]);
    const book = new Book();
    Object.assign(book.plan.attempts[0] ?? {}, { end: 'vanishes' });
    book.create('run_1', { delivered: false }).becomes('run_1', 'completed').create('run_2', {}, false);
    expect(goesOn(book, 'run_2').kinds()).toEqual([]);
  });
});

describe('a call whose output the provider had taken', () => {
  const note = effect('put_note');
  const again = (befalls: (book: Book) => Book, taken = true): Book => {
    const book = begun({ attempts: [[note]] }).acts(note, 1);
    const request = book.askSubmit('run_1', [[callId(0), answered(1)]]);
    if (taken) book.becomes('run_1', 'in_progress');
    book.answer(request, 'run_1', { acted: taken });
    befalls(book).acts(note, 2);
    if (!taken) book.submit('run_1', [[callId(0), answered(2)]]);
    return book.look('run_1').becomes('run_1', 'completed').closes().probe();
  };

  test('is not run again: what shows it is older than the submit', () => {
    const found = again((book) => book).verdict().findings;
    expect(found).toMatchObject([{ kind: 'unreused_effects', lines: ['provider:8', expect.anything()] }]);
    const killed = again((book) => book.deed({ kind: 'worker_killed', pid: 9, aimed: null }));
    expect(killed.kinds()).toEqual(['unreused_effects']);
  });

  test('may be by a worker that was stopped, by hand, or where the outputs were refused', () => {
    expect(again((book) => book.deed({ kind: 'worker_resumed', pid: 1 })).kinds()).toEqual([]);
    const reset = { kind: 'activity_reset', run: RUN, activity: '1', type: 'put_note' } as const;
    expect(again((book) => book.deed(reset)).kinds()).toEqual([]);
    expect(again((book) => book, false).kinds()).toEqual([]);
  });
});

describe('late_ends', () => {
  const slow = (befalls: (book: Book) => Book, calls: readonly [string, string][] = []): Book => {
    const book = befalls(begun({ attempts: [[pay]] }).acts(pay, 1)).wait(125_000);
    book.submit('run_1', [[callId(0), answered(1)]]).becomes('run_1', 'completed');
    const word = ([id, decision]: [string, string]) => ({
      id,
      name: 'pay',
      status: 'completed',
      output: answered(1),
      decision,
    });
    return book.closes(calls.length === 0 ? {} : { calls: calls.map(word) }).probe();
  };

  test('a run that nothing held up', () => {
    const lines = slow((book) => book).verdict().findings;
    expect(lines).toMatchObject([{ kind: 'late_ends', lines: ['provider:2'] }]);
  });

  test('a run whose fault was long before', () => {
    const killed = (waitMs: number): Book =>
      slow((book) => book.deed({ kind: 'worker_killed', pid: 9, aimed: null }).wait(waitMs));
    expect(killed(0).kinds()).toEqual(['late_ends']);
    const meanwhile = slow((book) => book.wait(10_000).deed({ kind: 'server_killed' }));
    expect(meanwhile.kinds()).toEqual(['late_ends']);
  });

  test('but not one whose model thought so long, that waited for people, or that closed soon after', () => {
    const thinks = begun({ attempts: [[pay]] }).acts(pay, 1);
    Object.assign(thinks.plan.attempts[0] ?? {}, { thinkMs: [27_000] });
    thinks
      .wait(125_000)
      .submit('run_1', [[callId(0), answered(1)]])
      .becomes('run_1', 'completed');
    expect(thinks.closes().probe().kinds()).toEqual([]);
    expect(slow((book) => book, [[callId(0), 'done']]).kinds()).toEqual([]);
    const soon = begun({ attempts: [[pay]] })
      .acts(pay, 1)
      .wait(125_000);
    soon.deed({ kind: 'worker_killed', pid: 9, aimed: null }).submit('run_1', [[callId(0), answered(1)]]);
    expect(soon.becomes('run_1', 'completed').closes().probe().kinds()).toEqual([]);
  });
});
