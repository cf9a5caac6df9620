import { describe, expect, test } from 'vitest';
import { textbook } from '../../faults/drivers/textbook.ts';
import { judge } from '../../faults/judge/judge.ts';
import type { Finding } from '../../faults/judge/finding.ts';
import { answered, Book, callId, effect } from '../support/faults-book.ts';
import type { BookOptions } from '../support/faults-book.ts';

const [first, second] = [effect('put_note', { item: 'a' }), effect('put_note', { item: 'b' })];

const over = (book: Book): readonly Pick<Finding, 'what' | 'lines'>[] =>
  book
    .verdict()
    .findings.filter(({ kind }) => kind === 'over_budget')
    .map(({ what, lines }) => ({ what, lines }));
const whats = (book: Book): readonly string[] => over(book).map(({ what }) => what);

/** A first attempt that expired after its round, and a second one that played another. */
function twoRounds(options: BookOptions): Book {
  const book = new Book({ attempts: [[first], [second]], ...options }).create('run_1').look('run_1');
  book
    .acts(first, 1)
    .submit('run_1', [[callId(0), answered(1)]])
    .becomes('run_1', 'expired');
  book.create('run_2', {}, false).look('run_2');
  book.acts(second, 2, { call: callId(1) }).submit('run_2', [[callId(1), answered(2)]]);
  return book.becomes('run_2', 'completed').closes().probe();
}

describe('over_budget by rounds', () => {
  test('is a round more than the limit, over all attempts', () => {
    expect(over(twoRounds({ limits: { rounds: 1 } }))).toEqual([
      { what: '2 rounds of tool calls were handed in, its limit is 1', lines: ['provider:6', 'provider:15'] },
    ]);
    expect(twoRounds({ limits: { rounds: 1 } }).verdict().counts['over_budget']).toBe(1);
  });

  test('is none at the limit, and none where the request has no limit of its own', () => {
    expect(twoRounds({ limits: { rounds: 2 } }).kinds()).toEqual([]);
    expect(twoRounds({}).kinds()).toEqual([]);
  });

  const chain = (): Book =>
    new Book({ wire: 'responses', limits: { rounds: 1 } }).create('resp_1').look('resp_1');
  const given = [[callId(0), answered(1)]] as const;
  const ends = (book: Book): readonly string[] =>
    whats(book.look('resp_3').becomes('resp_3', 'completed').closes({ ambiguous: true }));

  test('is none where one round was handed in again: its answer was lost, or its step failed', () => {
    const lost = chain().becomes('resp_1', 'completed').acts(first, 1);
    lost.submit('resp_1', given, 'resp_2', { delivered: false }).becomes('resp_2', 'completed');
    expect(ends(lost.submit('resp_1', given, 'resp_3'))).toEqual([]);
    const failed = chain().becomes('resp_1', 'completed').acts(first, 1);
    failed.submit('resp_1', given, 'resp_2').look('resp_2').becomes('resp_2', 'failed');
    expect(ends(failed.submit('resp_1', given, 'resp_3'))).toEqual([]);
  });

  test('is none where the provider did not take the round', () => {
    const book = new Book({ attempts: [[first], [second]], limits: { rounds: 1 } }).create('run_1');
    book.acts(first, 1).submit('run_1', [[callId(0), answered(1)]]);
    book.answer(book.askSubmit('run_1', [[callId(1), answered(2)]]), null, { acted: false });
    expect(whats(book.becomes('run_1', 'completed').closes().probe())).toEqual([]);
  });

  test('is none for calls of a lost create that were closed with the next one', () => {
    const book = new Book({
      wire: 'responses',
      onThread: true,
      attempts: [[first], [second]],
      limits: { rounds: 1 },
    });
    book.create('resp_1', { delivered: false }).becomes('resp_1', 'completed');
    book.submit('resp_1', [[callId(0), '{"error":"not_executed","message":"It was given up."}']], 'resp_2');
    book
      .look('resp_2')
      .becomes('resp_2', 'completed')
      .acts(second, 1, { call: callId(1) });
    book.submit('resp_2', [[callId(1), answered(1)]], 'resp_3').look('resp_3');
    expect(whats(book.becomes('resp_3', 'completed').closes().probe())).toEqual([]);
  });

  test('is none for calls that were only closed in their conversation', () => {
    const book = new Book({
      wire: 'responses',
      onThread: true,
      attempts: [[first], [second]],
      limits: { rounds: 1 },
      ends: ['rounds_exceeded'],
    });
    book.create('resp_1').look('resp_1').becomes('resp_1', 'completed').acts(first, 1);
    book.submit('resp_1', given, 'resp_2').look('resp_2').becomes('resp_2', 'completed');
    const closing = { type: 'function_call_output', call_id: callId(1), output: '{"error":"not_executed"}' };
    const request = book.ask('POST', '/v1/conversations/thread_1/items', { items: [closing] });
    expect(book.answer(request, null).closes({ code: 'rounds_exceeded' }).probe().kinds()).toEqual([]);
  });
});

describe('over_budget by attempts', () => {
  const retry = { attempts: 1 };

  test('is none for a submit that was lost and is made again by what its conversation holds', () => {
    const book = new Book({ wire: 'responses', onThread: true, attempts: [[first]], retry });
    book.create('resp_1').look('resp_1').becomes('resp_1', 'completed').acts(first, 1);
    book.submit('resp_1', [[callId(0), answered(1)]], 'resp_2', { delivered: false });
    book.becomes('resp_2', 'failed').create('resp_3', {}, false).look('resp_3');
    expect(whats(book.becomes('resp_3', 'completed').closes({ ambiguous: true }).probe())).toEqual([]);
  });

  test('is an attempt more than the limit', () => {
    expect(over(twoRounds({ retry }))).toEqual([
      { what: '2 attempts were made, its limit is 1', lines: ['provider:1', 'provider:10'] },
    ]);
    expect(whats(twoRounds({ retry: { attempts: 2 } }))).toEqual([]);
  });

  /** Created twice; of the first one the answer is lost, or not, and somebody looks at it, or not. */
  const createdAgain = (delivered: boolean, looker: number | null): Book => {
    const book = new Book({ wire: 'responses', retry }).create('resp_1', { delivered });
    book.look('resp_1', looker).becomes('resp_1', 'failed').create('resp_2').look('resp_2');
    return book.becomes('resp_2', 'completed').closes({ ambiguous: true });
  };

  test('is none where the create was lost and made again', () => {
    expect(whats(createdAgain(false, null))).toEqual([]);
  });

  test('is one where its answer came, or a worker went on with what it had made', () => {
    expect(whats(createdAgain(true, null))).toHaveLength(1);
    expect(whats(createdAgain(false, 1))).toHaveLength(1);
  });
});

test('a driver that promises no limits is held to none', () => {
  const book = twoRounds({ limits: { rounds: 1 }, retry: { attempts: 1 } });
  const judging = { promises: textbook.promises, tasks: [], endAt: book.now };
  expect(judge(book.evidence(), judging).counts.over_budget).toBe(0);
});
