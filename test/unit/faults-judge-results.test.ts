/** What a run says of itself, beside what the journals say. */
import { describe, expect, test } from 'vitest';
import { textbook } from '../../faults/drivers/textbook.ts';
import { judge } from '../../faults/judge/judge.ts';
import { answered, begun, Book, callId, effect, ended } from '../support/faults-book.ts';

const note = effect('put_note');
const done = (): Book =>
  ended(
    begun({ attempts: [[note]], ends: [null, 'cancelled', 'run_failed'] })
      .acts(note, 1)
      .submit('run_1', [[callId(0), answered(1)]]),
  );

describe("a workflow's own end", () => {
  test.each([
    [null, 'COMPLETED'],
    ['cancelled', 'CANCELLED'],
    ['run_failed', 'FAILED'],
  ] as const)('by %s is %s and no other', (code, right) => {
    for (const workflow of ['COMPLETED', 'CANCELLED', 'FAILED'])
      expect(done().closes({ code }, workflow).kinds()).toEqual(workflow === right ? [] : ['wrong_end']);
  });

  test('is that of its driver: a textbook run is cancelled without a code of its own', () => {
    const book = done().closes({ code: 'failed' }, 'CANCELLED');
    const judging = {
      promises: { ...textbook.promises, ends: () => ['failed'] },
      tasks: [],
      endAt: book.now,
    };
    expect(judge(book.evidence(), judging).counts.wrong_end).toBe(0);
    book.closes({ code: 'failed' }, 'COMPLETED');
    expect(judge(book.evidence(), judging).counts.wrong_end).toBe(1);
  });
});

describe('the calls of a result', () => {
  const call = (output: string | null) => ({
    id: callId(0),
    name: 'put_note',
    status: 'completed',
    output,
    decision: null,
  });

  test('are those that the model was given outputs of, by the same words', () => {
    expect(
      done()
        .closes({ calls: [call(answered(1))] })
        .kinds(),
    ).toEqual([]);
    expect(
      done()
        .closes({ calls: [call(answered(2))] })
        .kinds(),
    ).toEqual(['wrong_end']);
    expect(
      done()
        .closes({ calls: [call(null)] })
        .kinds(),
    ).toEqual(['wrong_end']);
    expect(done().closes({ calls: [] }).kinds()).toEqual(['wrong_end']);
    const twice = [call(answered(2)), call(answered(1))];
    expect(done().closes({ calls: twice }).kinds()).toEqual(['wrong_end']);
  });

  test('need not be known where the run has not completed, or they were given up', () => {
    expect(done().closes({ code: 'run_failed', calls: [] }).kinds()).toEqual([]);
    const given = JSON.stringify({ error: 'not_executed' });
    const book = new Book({ wire: 'responses', onThread: true }).create('resp_1', { delivered: false });
    book
      .becomes('resp_1', 'completed')
      .submit('resp_1', [[callId(0), given]], 'resp_2')
      .look('resp_2');
    book.becomes('resp_2', 'completed').closes({ ambiguous: true, calls: [] });
    expect(book.probe().kinds()).toEqual([]);
  });
});
