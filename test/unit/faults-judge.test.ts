import { describe, expect, test } from 'vitest';
import { FINDING_KINDS } from '../../faults/judge/finding.ts';
import { answered, begun, Book, callId, effect, ended, receipt, THREAD } from '../support/faults-book.ts';
import type { BookOptions } from '../support/faults-book.ts';

const [pay, note, named, paid] = [
  effect('pay'),
  effect('put_note'),
  effect('put_named'),
  effect('pay_named'),
];

const good = (options: BookOptions = {}): Book => {
  const [asked = pay] = options.attempts?.[0] ?? [];
  return ended(
    begun(options)
      .acts(asked, 1)
      .submit('run_1', [[callId(0), answered(1)]]),
  );
};

/** A first attempt that expired after its effect was known, and a second one that asks again. */
const expired = (asked = note, again = asked): Book =>
  begun({ attempts: [[asked], [again]] })
    .acts(asked, 1)
    .submit('run_1', [[callId(0), answered(1)]])
    .becomes('run_1', 'expired')
    .create('run_2', {}, false)
    .look('run_2')
    .becomes('run_2', 'requires_action');

describe('a run that went well', () => {
  test('has no findings', () => {
    expect(good().verdict()).toMatchObject({
      findings: [],
      counts: { runs: 1, ended: 1, unknown_outcomes: 0 },
    });
  });

  test('has none either where it was made again and answered from what was known', () => {
    expect(ended(expired().submit('run_2', [[callId(1), answered(1)]]), 'run_2').kinds()).toEqual([]);
  });

  test('has none on the Responses wire', () => {
    const book = new Book({ wire: 'responses' })
      .create('resp_1')
      .look('resp_1')
      .becomes('resp_1', 'completed');
    book
      .acts(pay, 1)
      .submit('resp_1', [[callId(0), answered(1)]], 'resp_2')
      .look('resp_2');
    expect(book.becomes('resp_2', 'completed').closes().kinds()).toEqual([]);
  });
});

describe('lost', () => {
  test.each(['RUNNING', 'TERMINATED', 'TIMED_OUT', null])('a workflow that is %s at the end', (workflow) => {
    const book = good();
    book.final = { ...book.final, workflow };
    expect(book.verdict()).toMatchObject({ counts: { lost: 1, ended: 0 } });
  });

  test('a workflow that closed without a result', () => {
    const book = good();
    book.final = { ...book.final, word: null };
    expect(book.kinds()).toEqual(['lost']);
  });
});

describe('wrong_end', () => {
  test('an end that the run must not have', () => {
    expect(good().closes({ code: 'backend_unavailable' }).kinds()).toEqual(['wrong_end']);
    expect(
      good({ ends: ['backend_unavailable'] })
        .closes({ code: 'backend_unavailable' })
        .kinds(),
    ).toEqual([]);
  });

  test('completed, where the journal shows no completed attempt', () => {
    const book = begun()
      .acts(pay, 1)
      .submit('run_1', [[callId(0), answered(1)]]);
    expect(book.becomes('run_1', 'expired').closes().probe().kinds()).toEqual(['wrong_end']);
  });

  test('another text than the model said', () => {
    expect(good().closes({ text: 'Something else.' }).kinds()).toEqual(['wrong_end']);
  });

  test('a once-effect whose outcome the result does not tell', () => {
    const book = begun().tool('started', pay, 1).deed({ kind: 'worker_killed', pid: 1, aimed: null });
    book.becomes('run_1', 'cancelled');
    const call = { id: callId(0), name: 'pay', output: null, decision: null };
    book.closes({ code: 'effect_unknown', calls: [{ ...call, status: 'cancelled' }] }).probe();
    expect(book.kinds()).toEqual(['wrong_end']);
    book.closes({ code: 'effect_unknown', calls: [{ ...call, status: 'unknown_outcome' }] });
    expect(book.verdict()).toMatchObject({ findings: [], counts: { unknown_outcomes: 1 } });
  });
});

test('a driver without a book is held to it but for calls that its service cancelled', () => {
  const started = (shape: 'plain' | 'cancelled_by_service'): Book => {
    const book = begun({ ends: ['run_failed'] })
      .tool('started', pay, 1)
      .becomes('run_1', 'cancelled');
    Object.assign(book.plan, { shape });
    return book.closes({ code: 'run_failed' }).probe();
  };
  expect(started('plain').kinds()).toEqual(['wrong_end']);
  expect(started('cancelled_by_service').kinds()).toEqual([]);
});

describe('attempts_live_over_one', () => {
  test('a second attempt is made while the first one lives', () => {
    const book = new Book().create('run_1').create('run_2', {}, false);
    book.becomes('run_1', 'completed').becomes('run_2', 'completed').closes().probe();
    expect(book.kinds()).toEqual(['attempts_live_over_one']);
  });

  const twice = (ambiguous: boolean, delivered: boolean): Book => {
    const book = new Book({ wire: 'responses' })
      .create('resp_1', { delivered })
      .create('resp_2')
      .look('resp_2');
    return book.becomes('resp_1', 'completed').becomes('resp_2', 'completed').closes({ ambiguous });
  };

  test('but not where the first one cannot be found and the result says so', () => {
    expect(twice(true, false).verdict()).toMatchObject({ findings: [], counts: { unfindable_creates: 1 } });
  });

  test('nor where only the receiver of webhooks has looked at it', () => {
    expect(twice(true, false).look('resp_1', null).kinds()).toEqual([]);
    expect(twice(true, false).look('resp_1', 1).kinds()).toEqual(['attempts_live_over_one']);
  });

  test('where its answer had come, or the result does not say so', () => {
    expect(twice(true, true).kinds()).toEqual(['attempts_live_over_one']);
    expect(twice(false, false).kinds()).toEqual(['attempts_live_over_one']);
  });
});

describe('duplicate_deltas', () => {
  const finished = (): Book =>
    new Book({ streamed: true }).create('run_1').becomes('run_1', 'completed').closes().probe();
  const RUN_SAYS = 'faults-1-0 is done. ';

  test('a word that was told twice of one answer', () => {
    const book = finished()
      .hears('run_1', 'word-0 wo')
      .hears('run_1', 'rd-1 ')
      .hears('run_1', 'word-1 word-2');
    expect(book.kinds()).toEqual(['duplicate_deltas']);
    expect(book.verdict().counts.deltas).toBe(3);
  });

  test('but not the same word of another attempt, nor a gap', () => {
    const book = finished().hears('run_1', 'word-0 word-1 ').hears('run_1', 'word-5');
    expect(book.hears('run_2', `${RUN_SAYS}word-0 word-1`).kinds()).toEqual([]);
  });

  test('words that the model does not say, or in another order', () => {
    expect(finished().hears('run_1', `${RUN_SAYS}wrong-0`).kinds()).toEqual(['duplicate_deltas']);
    const backwards = finished().hears('run_1', 'word-5 word-6 ').hears('run_1', 'word-1');
    expect(backwards.kinds()).toEqual(['duplicate_deltas']);
  });
});

test('webhooks are counted by event', () => {
  const book = new Book().create('run_1').becomes('run_1', 'completed').closes();
  book.webhook('run_1', 'lost', 0, null).webhook('run_1', 'a', 1, 503).webhook('run_1', 'a', 2, 204);
  book.webhook('run_1', 'b', 1, 204).webhook('run_1', 'b', 1, 204).webhook('run_1', 'c', 1, null);
  expect(book.verdict().counts).toMatchObject({ webhooks_taken: 2, webhooks_lost: 1, webhooks_repeated: 1 });
});

describe('orphaned_attempts', () => {
  test('an attempt that lives at the end', () => {
    expect(
      begun()
        .acts(pay, 1)
        .closes({
          code: 'deadline_exceeded',
          calls: [{ id: callId(0), name: 'pay', status: 'completed', output: answered(1), decision: null }],
        })
        .probe()
        .kinds(),
    ).toContain('orphaned_attempts');
  });

  test('an attempt that outlived its workflow', () => {
    const book = new Book().create('run_1').closes({ code: null }).wait(5_000);
    expect(book.becomes('run_1', 'completed').probe().kinds()).toEqual(['orphaned_attempts']);
  });

  test('but not one that ends a moment after it', () => {
    const book = new Book().create('run_1').closes();
    expect(book.becomes('run_1', 'completed').probe().kinds()).toEqual([]);
  });
});

describe('effects', () => {
  test('duplicate_once_effects: started twice, asked for once', () => {
    const book = begun()
      .tool('started', pay, 1)
      .acts(pay, 2)
      .submit('run_1', [[callId(0), answered(2)]]);
    expect(ended(book).kinds()).toContain('duplicate_once_effects');
  });

  test('but not where the model asked twice in one breath, unless the tool names the effect', () => {
    const twice = (asked: typeof pay): Book => {
      const book = begun({ attempts: [[asked, asked]] }).acts(asked, 1, { key: 'a' });
      book.acts(asked, 2, { call: callId(0, 1), key: 'b' });
      return ended(
        book.submit('run_1', [
          [callId(0), answered(1)],
          [callId(0, 1), answered(2)],
        ]),
      );
    };
    expect(twice(pay).kinds()).toEqual([]);
    expect(twice(paid).kinds()).toEqual([
      'duplicate_once_effects',
      'duplicate_effects_by_effect_key',
      'idempotent_key_changes',
    ]);
  });

  test('duplicate_effects_by_effect_key: made again in other words', () => {
    const reworded = effect('put_named', { note: 'in other words' });
    const book = expired(named, reworded).acts(reworded, 2, { call: callId(1), key: 'another key' });
    expect(ended(book.submit('run_2', [[callId(1), answered(2)]]), 'run_2').kinds()).toContain(
      'duplicate_effects_by_effect_key',
    );
  });

  test('but not where a retry had the same key', () => {
    const book = begun({ attempts: [[named]] })
      .acts(named, 1)
      .acts(named, 2);
    expect(ended(book.submit('run_1', [[callId(0), answered(2)]])).kinds()).toEqual([]);
  });

  test('idempotent_key_changes: a retry is told another key', () => {
    const book = begun({ attempts: [[note]] })
      .acts(note, 1)
      .acts(note, 2, { key: 'another key' });
    expect(ended(book.submit('run_1', [[callId(0), answered(2)]])).kinds()).toEqual([
      'idempotent_key_changes',
    ]);
  });

  test('unreused_effects: run again by a later attempt, though its output had been handed in', () => {
    const book = expired()
      .acts(note, 2, { call: callId(1) })
      .submit('run_2', [[callId(1), answered(2)]]);
    expect(ended(book, 'run_2').kinds()).toEqual(['unreused_effects']);
  });

  test('but not where the worker died before it could tell', () => {
    const book = begun({ attempts: [[note], [note]] })
      .acts(note, 1)
      .deed({ kind: 'worker_killed', pid: 1, aimed: null });
    book.becomes('run_1', 'expired').create('run_2', { pid: 2 }, false).look('run_2', 2);
    book.acts(note, 2, { call: callId(1), pid: 2 }).submit('run_2', [[callId(1), answered(2)]]);
    expect(ended(book, 'run_2').kinds()).toEqual([]);
  });

  test('divergent calls are counted', () => {
    const reworded = effect('put_named', { note: 'in other words' });
    const earlier = JSON.stringify({ notice: 'done before', earlier_output: answered(1) });
    const book = ended(expired(named, reworded).submit('run_2', [[callId(1), earlier]]), 'run_2');
    expect(book.verdict()).toMatchObject({ findings: [], counts: { divergent_calls: 1 } });
  });
});

describe('what is handed in', () => {
  test('missing_outputs: a call of the round without an output', () => {
    const book = begun({ attempts: [[pay, note]] })
      .acts(pay, 1)
      .submit('run_1', [[callId(0), answered(1)]]);
    expect(ended(book).kinds()).toEqual(['missing_outputs']);
  });

  test('missing_outputs: an output that no effect gave', () => {
    const book = begun({ attempts: [[note]] })
      .acts(note, 1)
      .submit('run_1', [[callId(0), 'something']]);
    expect(ended(book).kinds()).toEqual(['missing_outputs']);
  });

  test('double_submits: the same round twice on one chain', () => {
    const book = new Book({ wire: 'responses' })
      .create('resp_1')
      .look('resp_1')
      .becomes('resp_1', 'completed');
    book
      .acts(pay, 1)
      .submit('resp_1', [[callId(0), answered(1)]], 'resp_2')
      .becomes('resp_2', 'completed');
    book
      .submit('resp_1', [[callId(0), answered(1)]], 'resp_3')
      .look('resp_3')
      .becomes('resp_3', 'completed');
    expect(book.closes({ ambiguous: true }).kinds()).toEqual(['double_submits']);
  });

  test('but not where the first answer was lost and the result says so, or the step had failed', () => {
    const chain = (to: string, delivered: boolean): Book => {
      const book = new Book({ wire: 'responses' })
        .create('resp_1')
        .look('resp_1')
        .becomes('resp_1', 'completed');
      const given = [[callId(0), answered(1)]] as const;
      book.acts(pay, 1).submit('resp_1', given, 'resp_2', { delivered }).becomes('resp_2', to);
      book.submit('resp_1', given, 'resp_3').look('resp_3').becomes('resp_3', 'completed');
      return book.closes({ ambiguous: true });
    };
    expect(chain('completed', false).kinds()).toEqual([]);
    expect(chain('failed', true).kinds()).toEqual([]);
  });

  test('inputs_repeated: the second attempt says the input again', () => {
    const book = new Book()
      .create('run_1')
      .becomes('run_1', 'expired')
      .create('run_2')
      .becomes('run_2', 'completed');
    expect(book.closes().probe().kinds()).toEqual(['inputs_repeated']);
  });

  test('inputs_repeated: a later step of a chain says it again', () => {
    const book = new Book({ wire: 'responses' })
      .create('resp_1')
      .look('resp_1')
      .becomes('resp_1', 'completed');
    const request = book.ask('POST', '/v1/responses', {
      model: book.plan.id,
      previous_response_id: 'resp_1',
      input: [{ role: 'user', content: 'Please.' }],
    });
    book.becomes('resp_2', 'queued').answer(request, 'resp_2').look('resp_2').becomes('resp_2', 'completed');
    expect(book.closes().kinds()).toEqual(['inputs_repeated']);
  });
});

describe('an input in a conversation', () => {
  const again = (to: string, saysAgain: boolean): Book => {
    const book = new Book({ wire: 'responses', onThread: true }).create('resp_1').becomes('resp_1', to);
    book.look('resp_1').create('resp_2', {}, saysAgain).look('resp_2').becomes('resp_2', 'completed');
    return book.closes().probe();
  };

  test('is said again after a response that failed or was cancelled: it never entered', () => {
    for (const to of ['failed', 'cancelled']) {
      expect(again(to, true).kinds()).toEqual([]);
      expect(again(to, false).kinds()).toEqual(['inputs_unsaid']);
    }
  });

  test('stands there after one that was cut short', () => {
    expect(again('incomplete', true).kinds()).toEqual(['inputs_repeated']);
    expect(again('incomplete', false).kinds()).toEqual([]);
  });
});

test('a repeated input is none where the provider lost the run before its answer came', () => {
  const vanished = (delivered: boolean): Book => {
    const book = new Book();
    const [first] = book.plan.attempts;
    Object.assign(first ?? {}, { end: 'vanishes' });
    book.create('run_1', { delivered }).becomes('run_1', 'failed');
    return book.create('run_2').becomes('run_2', 'completed').closes().probe();
  };
  expect(vanished(false).kinds()).toEqual([]);
  expect(vanished(true).kinds()).toEqual(['inputs_repeated']);
});

test('a repeated input is none in a conversation where what said it first brought nothing there', () => {
  const twice = (to: string): Book => {
    const book = new Book({ wire: 'responses', onThread: true });
    book.create('resp_1').look('resp_1').becomes('resp_1', to);
    return book.create('resp_2').look('resp_2').becomes('resp_2', 'completed').closes().probe();
  };
  expect(twice('failed').kinds()).toEqual([]);
  expect(twice('cancelled').kinds()).toEqual([]);
  expect(twice('incomplete').kinds()).toEqual(['inputs_repeated']);
});

test('a repeated input is none in a conversation where nobody could see that it had been said', () => {
  const twice = (delivered: boolean, beforeMs: number): Book => {
    const book = new Book({ wire: 'responses', onThread: true });
    book.create('resp_1', { delivered });
    if (beforeMs > 0) book.becomes('resp_1', 'completed').wait(beforeMs);
    const again = book.askCreate();
    if (beforeMs === 0) book.becomes('resp_1', 'completed');
    book.becomes('resp_2', 'queued').answer(again, 'resp_2').look('resp_2').becomes('resp_2', 'completed');
    return book.closes({ ambiguous: true }).probe();
  };
  expect(twice(false, 0).kinds()).toEqual([]);
  expect(twice(true, 0).kinds()).toContain('inputs_repeated');
  expect(twice(false, 5_000).kinds()).toContain('inputs_repeated');
});

test('calls of a response that nobody knew are given up again after one that failed', () => {
  const givenUp = JSON.stringify({ error: 'not_executed' });
  const again = (known: boolean): Book => {
    const book = new Book({ wire: 'responses', onThread: true });
    book.create('resp_1', { delivered: false });
    if (known) book.look('resp_1');
    book.becomes('resp_1', 'completed');
    for (const [made, to] of [
      ['resp_2', 'failed'],
      ['resp_3', 'completed'],
    ] as const)
      book
        .submit('resp_1', [[callId(0), givenUp]], made)
        .look(made)
        .becomes(made, to);
    return book.closes({ ambiguous: true }).probe();
  };
  expect(again(false).kinds()).not.toContain('missing_outputs');
  expect(again(true).kinds()).toContain('missing_outputs');
});

test('what a worker does after it was stopped may be a task that is no longer its own', () => {
  const twice = (resumed: boolean): Book => {
    const book = new Book({ wire: 'responses' });
    if (resumed) book.deed({ kind: 'worker_resumed', pid: 1 });
    book.create('resp_1').create('resp_2', { pid: 2 }).look('resp_2', 2);
    return book.becomes('resp_1', 'completed').becomes('resp_2', 'completed').closes({ ambiguous: true });
  };
  expect(twice(true).kinds()).toEqual([]);
  expect(twice(false).kinds()).toEqual(['attempts_live_over_one']);
});

test('threads_left_unusable: a thread that refuses the next run', () => {
  const book = new Book().create('run_1').becomes('run_1', 'completed').closes();
  expect(book.probe(false).verdict().findings).toMatchObject([
    { kind: 'threads_left_unusable', what: `${THREAD} refuses a new run with 400`, lines: ['provider:5'] },
  ]);
});

test('a thread that a run left which ended badly is for a driver that promises to leave it usable', () => {
  const left = (code: string | null): Book =>
    new Book().create('run_1').becomes('run_1', 'failed').closes({ code }).probe(false);
  expect(left('failed').kinds()).toContain('threads_left_unusable');
  expect(left('failed').kinds({ freesThreads: false })).not.toContain('threads_left_unusable');
  expect(left(null).kinds({ freesThreads: false })).toContain('threads_left_unusable');
});

test('a finding names the run and the lines that show it', () => {
  const book = begun()
    .tool('started', pay, 1)
    .acts(pay, 2)
    .submit('run_1', [[callId(0), answered(2)]]);
  const found = ended(book)
    .verdict()
    .findings.find(({ kind }) => kind === 'duplicate_once_effects');
  expect(found?.run).toBe(book.plan.id);
  expect(found?.lines).toEqual(
    book.tools
      .filter(({ event }) => event === 'started')
      .map(({ at }, n) => `tools:${at} started ${receipt(n + 1)}`),
  );
});

test('every kind of finding has a test that finds it', async () => {
  const { readFileSync } = await import('node:fs');
  const texts = [
    'faults-judge.test.ts',
    'faults-judge-turns.test.ts',
    'faults-judge-budget.test.ts',
    'faults-judge-excuses.test.ts',
    'faults-judge-needless.test.ts',
  ];
  const text = texts.map((name) => readFileSync(new URL(name, import.meta.url), 'utf8')).join('\n');
  expect(FINDING_KINDS.filter((kind) => !text.includes(`'${kind}'`))).toEqual([]);
});

describe('words of people', () => {
  const approved = effect('pay_approved');
  const asked = effect('ask_service');
  const wordOf = (output: string, decision: string | null, status = 'completed', id = callId(0)) => ({
    id,
    name: 'pay_approved',
    status,
    output,
    decision,
  });
  const waits = (tool = approved): Book =>
    begun({ attempts: [[tool], [tool]] }).person('asked', tool.tool, null);
  const refusal = JSON.stringify({ error: { code: 'rejected', message: 'No.' } });

  /** Approved, done, handed in. */
  const granted = (): Book =>
    waits()
      .person('sent', 'pay_approved', 'approve')
      .person('accepted', 'pay_approved', 'approve')
      .acts(approved, 1)
      .submit('run_1', [[callId(0), answered(1)]]);
  const finish = (book: Book, ...calls: ReturnType<typeof wordOf>[]): Book =>
    book
      .becomes('run_1', 'in_progress')
      .look('run_1')
      .becomes('run_1', 'completed')
      .closes({ calls })
      .probe();

  test('that were heard are no finding, and are counted', () => {
    expect(finish(granted(), wordOf(answered(1), 'approve')).verdict()).toMatchObject({
      findings: [],
      counts: { decisions: 1 },
    });
  });

  test('a refusal that the model was told is none either', () => {
    const book = waits()
      .person('sent', 'pay_approved', 'reject')
      .person('accepted', 'pay_approved', 'reject')
      .submit('run_1', [[callId(0), refusal]]);
    expect(finish(book, wordOf(refusal, 'reject', 'rejected')).kinds()).toEqual([]);
  });

  test('a refusal that nobody gave is', () => {
    const book = waits().submit('run_1', [[callId(0), refusal]]);
    expect(finish(book, wordOf(refusal, null, 'rejected')).kinds()).toEqual(['missing_outputs']);
  });

  test('an output that the service handed in is told', () => {
    const book = waits(asked)
      .person('sent', 'ask_service', 'answer', { n: 5 })
      .person('accepted', 'ask_service', 'answer', { n: 5 })
      .submit('run_1', [[callId(0), answered(5)]]);
    expect(finish(book, wordOf(answered(5), 'answer')).kinds()).toEqual([]);
    expect(finish(book, wordOf(answered(6), 'answer')).kinds()).toContain('lost_answers');
  });

  test('a word that the result does not know is lost', () => {
    expect(finish(granted(), wordOf(answered(1), null)).kinds()).toEqual(['lost_answers']);
    expect(finish(granted()).kinds()).toContain('lost_answers');
  });

  test('a word whose Update was not answered need not be known', () => {
    const book = waits()
      .person('sent', 'pay_approved', 'approve')
      .acts(approved, 1)
      .submit('run_1', [[callId(0), answered(1)]]);
    expect(finish(book, wordOf(answered(1), 'approve')).kinds()).toEqual([]);
  });

  test('the same question after its answer is asked twice; other arguments, and another effect, are not', () => {
    const call = callId(1);
    const again = granted().person('asked', 'pay_approved', null, { call });
    expect(finish(again, wordOf(answered(1), 'approve')).kinds()).toEqual(['repeated_questions']);
    const other = granted().person('asked', 'pay_approved', null, { call, digest: 'other' });
    expect(finish(other, wordOf(answered(1), 'approve')).kinds()).toEqual([]);
    const second = granted().person('asked', 'pay_approved', null, { call, key: 'key-2' });
    expect(finish(second, wordOf(answered(1), 'approve')).kinds()).toEqual([]);
  });

  test('an effect that nobody had allowed', () => {
    const early = waits().acts(approved, 1).person('sent', 'pay_approved', 'approve');
    const book = early
      .person('accepted', 'pay_approved', 'approve')
      .submit('run_1', [[callId(0), answered(1)]]);
    expect(finish(book, wordOf(answered(1), 'approve')).kinds()).toEqual(['unapproved_effects']);
  });
});
