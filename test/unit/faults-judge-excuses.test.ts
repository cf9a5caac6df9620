/** What a run is not excused for: words of its own that nothing bears out. */
import { describe, expect, test } from 'vitest';
import { answered, begun, Book, callId, effect, ended, RUN, THREAD } from '../support/faults-book.ts';

const [pay, told] = [effect('pay'), effect('pay_named')];

describe('a run that its service cancelled', () => {
  const cancelled = (waitedMs: number): Book => {
    const book = new Book({ ends: ['cancelled'] }).create('run_1');
    book.cancels.push({ run: book.plan.id, askedAt: book.now, answeredAt: book.now });
    return book.wait(waitedMs).becomes('run_1', 'completed').closes().probe();
  };

  test('may have come to its end a moment before it heard of that', () => {
    expect(cancelled(100).kinds()).toEqual([]);
  });

  test('may not go on as if nobody had asked for that', () => {
    expect(cancelled(60_000).kinds()).toEqual(['wrong_end']);
  });
});

describe('a step that failed on the Responses wire', () => {
  const failed = (delivered: boolean, wasSeen: boolean): Book => {
    const book = new Book({ wire: 'responses', ends: ['invalid_prompt'] });
    book.create('resp_1', { delivered }).becomes('resp_1', 'failed');
    if (wasSeen) book.look('resp_1');
    book.create('resp_2').look('resp_2').becomes('resp_2', 'completed');
    return book.closes({ ambiguous: true });
  };

  test('may be made again where nobody heard how it had ended', () => {
    expect(failed(false, false).kinds()).toEqual([]);
  });

  test('may where the look that came to its end was refused', () => {
    const book = new Book({ wire: 'responses', ends: ['invalid_prompt'] });
    book.create('resp_1', { delivered: false }).becomes('resp_1', 'failed');
    book.answer(book.ask('GET', '/v1/responses/resp_1', {}), null, { acted: false });
    book.create('resp_2').look('resp_2').becomes('resp_2', 'completed');
    expect(book.closes({ ambiguous: true }).kinds()).not.toContain('wrong_end');
  });

  test('may not where its end was seen, or its answer came', () => {
    expect(failed(false, true).kinds()).toEqual(['wrong_end']);
    expect(failed(true, false).kinds()).toEqual(['wrong_end']);
  });
});

describe('an unknown outcome', () => {
  const unknown = (tool: typeof pay, { killed = true }: { readonly killed?: boolean } = {}): Book => {
    const book = begun({ attempts: [[tool]] }).tool('started', tool, 1);
    if (killed) book.deed({ kind: 'worker_killed', pid: 1, aimed: null });
    book.becomes('run_1', 'cancelled');
    const call = { id: callId(0), name: tool.tool, output: null, decision: null, status: 'unknown_outcome' };
    return book.closes({ code: 'effect_unknown', calls: [call] }).probe();
  };

  test('is none where something befell whoever made the effect', () => {
    expect(unknown(pay).kinds()).toEqual([]);
  });

  test('is a wrong end where nothing did', () => {
    expect(unknown(pay, { killed: false }).kinds()).toEqual(['wrong_end']);
  });

  test('ends no run whose tool lets the model decide', () => {
    expect(unknown(told).kinds()).toEqual(['wrong_end']);
  });

  test('is one, too, where the tool was never started and nobody was disturbed', () => {
    expect(neverStarted((book) => book).kinds()).toEqual(['wrong_end']);
    expect(neverStarted((book) => book.deed(reset('pay'))).kinds()).toEqual([]);
  });

  /** The model asks for its call; nobody starts it. */
  const neverStarted = (befalls: (book: Book) => Book, before = (book: Book): Book => book): Book => {
    const call = { id: callId(0), name: 'pay', output: null, decision: null, status: 'unknown_outcome' };
    const book = befalls(
      before(new Book().create('run_1').look('run_1')).becomes('run_1', 'requires_action'),
    );
    return book
      .becomes('run_1', 'cancelled')
      .closes({ code: 'effect_unknown', calls: [call] })
      .probe();
  };
  const reset = (type: string) => ({ kind: 'activity_reset', run: RUN, activity: '1', type }) as const;
  const kill = { kind: 'worker_killed', pid: 9, aimed: null } as const;

  test('is one where what befell the run was another activity, or long before the model asked for the call', () => {
    expect(neverStarted((book) => book.deed(reset('drover.awaitRun'))).kinds()).toEqual(['wrong_end']);
    expect(neverStarted((book) => book.deed(kill)).kinds()).toEqual([]);
    const before = (ms: number) => (book: Book) => book.deed(kill).wait(ms);
    expect(neverStarted((book) => book, before(10_000)).kinds()).toEqual([]);
    expect(neverStarted((book) => book, before(20_000)).kinds()).toEqual(['wrong_end']);
    expect(neverStarted((book) => book.wait(100_000).deed(kill)).kinds()).toEqual(['wrong_end']);
  });

  test('is one where the model never asked for the call', () => {
    const book = new Book({ attempts: [[pay], [pay]] }).create('run_1').look('run_1').deed(kill);
    const call = { id: callId(0), name: 'pay', output: null, decision: null, status: 'unknown_outcome' };
    book.becomes('run_1', 'cancelled').closes({ code: 'effect_unknown', calls: [call] });
    expect(book.probe().kinds()).toEqual(['wrong_end']);
  });

  test('of an earlier attempt may be told of a later one', () => {
    const later = (asked: typeof pay): Book => {
      const book = begun({ attempts: [[told], [asked]] }).deed(kill);
      book.becomes('run_1', 'expired').wait(60_000).create('run_2', {}, false).look('run_2');
      book.becomes('run_2', 'requires_action').becomes('run_2', 'completed');
      const call = {
        id: callId(1),
        name: asked.tool,
        output: null,
        decision: null,
        status: 'unknown_outcome',
      };
      return book.closes({ calls: [call] }).probe();
    };
    expect(later(told).kinds()).toEqual([]);
    expect(later(effect('pay_named', { item: 'other' })).kinds()).toEqual(['wrong_end']);
  });

  test('is excused by what was done to its own activity, and at that time', () => {
    const started = (type: string, waitMs: number): Book => {
      const book = begun().tool('started', pay, 1).wait(waitMs).deed(reset(type));
      const call = { id: callId(0), name: 'pay', output: null, decision: null, status: 'unknown_outcome' };
      book.becomes('run_1', 'cancelled').closes({ code: 'effect_unknown', calls: [call] });
      return book.probe();
    };
    expect(started('pay', 0).kinds()).toEqual([]);
    expect(started('pay', 5_000).kinds()).toEqual(['wrong_end']);
    expect(started('drover.submitToolOutputs', 0).kinds()).toEqual(['wrong_end']);
  });

  test('nor does an equal call that went well tell what befell one that was never started', () => {
    const book = begun({ attempts: [[pay, pay]] }).acts(pay, 1);
    const [first, second] = [callId(0), callId(0, 1)];
    const calls = [
      { id: first, name: 'pay', output: answered(1), decision: null, status: 'completed' },
      { id: second, name: 'pay', output: null, decision: null, status: 'unknown_outcome' },
    ];
    book.becomes('run_1', 'cancelled').closes({ code: 'effect_unknown', calls }).probe();
    expect(book.kinds()).toEqual(['wrong_end']);
    const killed = new Book({ attempts: [[pay, pay]] });
    killed.create('run_1').becomes('run_1', 'in_progress').look('run_1').becomes('run_1', 'requires_action');
    killed.acts(pay, 1).deed({ kind: 'worker_killed', pid: 9, aimed: null }).becomes('run_1', 'cancelled');
    expect(killed.closes({ code: 'effect_unknown', calls }).probe().kinds()).toEqual([]);
  });
});

describe('calls that are given up', () => {
  const given = JSON.stringify({ error: 'not_executed' });
  const asked = (): Book =>
    new Book({ wire: 'responses', onThread: true, ends: [null, 'cancelled'] })
      .create('resp_1')
      .becomes('resp_1', 'completed')
      .look('resp_1');

  test('close the conversation of a run that went no further', () => {
    const book = asked();
    const items = [{ type: 'function_call_output', call_id: callId(0), output: given }];
    const close = (): Book =>
      book.answer(book.ask('POST', `/v1/conversations/${THREAD}/items`, { items }), null);
    expect(close().closes({ code: 'cancelled' }).probe().kinds()).toEqual([]);
    expect(book.closes().kinds()).toEqual(['missing_outputs']);
  });

  test('may be gone on from where nobody knows the response that made them', () => {
    const unheard = (isSeen: boolean): Book => {
      const book = new Book({ wire: 'responses', onThread: true }).create('resp_1', { delivered: false });
      if (isSeen) book.look('resp_1');
      book
        .becomes('resp_1', 'completed')
        .submit('resp_1', [[callId(0), given]], 'resp_2')
        .look('resp_2');
      return book.becomes('resp_2', 'completed').closes({ ambiguous: true }).probe();
    };
    expect(unheard(false).kinds()).toEqual([]);
    expect(unheard(true).kinds()).toEqual(['missing_outputs']);
  });

  test('are none that the model goes on from', () => {
    const book = asked()
      .submit('resp_1', [[callId(0), given]], 'resp_2')
      .look('resp_2');
    expect(book.becomes('resp_2', 'completed').closes().probe().kinds()).toEqual(['missing_outputs']);
  });
});

test('an unknown outcome is no output of a tool that does not leave it to the model', () => {
  const nobody = JSON.stringify({ error: { code: 'unknown_outcome' } });
  const handed = (tool: typeof pay): Book =>
    ended(begun({ attempts: [[tool]] }).submit('run_1', [[callId(0), nobody]]));
  expect(handed(told).kinds()).toEqual([]);
  expect(handed(pay).kinds()).toEqual(['missing_outputs']);
});

describe('a new attempt on the Responses wire', () => {
  const again = (seen: boolean): Book => {
    const book = new Book({ wire: 'responses' }).create('resp_1').becomes('resp_1', 'completed');
    if (seen) book.look('resp_1');
    book.create('resp_2').look('resp_2').becomes('resp_2', 'completed');
    return book.closes({ ambiguous: true });
  };

  test('may not begin while one that was seen to have completed waits for its outputs', () => {
    expect(again(true).kinds()).toEqual(['attempts_live_over_one']);
  });

  test('may where nobody has seen that', () => {
    expect(again(false).kinds()).toEqual([]);
  });
});

describe('unasked_effects', () => {
  const acts = (asked: typeof pay, context: unknown = null, call = callId(0)): Book => {
    const book = begun().acts(asked, 1, { call });
    for (const [at, entry] of book.tools.entries())
      book.tools[at] = { ...entry, told: { ...entry.told, context } };
    return ended(book.submit('run_1', [[callId(0), answered(1)]]));
  };

  test('none for what the model asked for', () => {
    expect(acts(pay).kinds()).toEqual([]);
    expect(acts(pay, { plan: 'faults-1-0' }).kinds()).toEqual([]);
  });

  test('other arguments, another call, the context of another run', () => {
    expect(acts(effect('pay', { note: 'more' })).kinds()).toContain('unasked_effects');
    expect(acts(pay, null, 'call_of_nobody').kinds()).toContain('unasked_effects');
    expect(acts(pay, { plan: 'faults-1-1' }).kinds()).toContain('unasked_effects');
  });

  test('one of a run that nobody has started', () => {
    const book = ended(
      begun()
        .acts(pay, 1)
        .submit('run_1', [[callId(0), answered(1)]]),
    );
    const [entry] = book.tools;
    book.tools.push({ ...entry!, told: { ...entry!.told, run: 'faults-1-9' } });
    expect(book.verdict().findings).toMatchObject([{ kind: 'unasked_effects', run: 'faults-1-9' }]);
  });

  test('a key that a once-tool was started with twice', () => {
    const book = begun({ attempts: [[pay, pay]] })
      .acts(pay, 1)
      .acts(pay, 2, { call: callId(0, 1) });
    book.submit('run_1', [
      [callId(0), answered(1)],
      [callId(0, 1), answered(2)],
    ]);
    expect(ended(book).kinds()).toContain('duplicate_once_effects');
  });
});

describe('inputs_unsaid', () => {
  const finish = (book: Book): Book => book.look('run_1').becomes('run_1', 'completed').closes().probe();

  test('a model that answered without having heard it', () => {
    expect(finish(new Book().create('run_1')).kinds()).toEqual([]);
    expect(finish(new Book().create('run_1', {}, false)).kinds()).toEqual(['inputs_unsaid']);
  });

  test('a chain that begins without it, though an earlier one had it', () => {
    const book = new Book({ wire: 'responses' }).create('resp_1').becomes('resp_1', 'failed').look('resp_1');
    book.create('resp_2', {}, false).becomes('resp_2', 'completed').look('resp_2');
    expect(book.closes().kinds()).toEqual(['inputs_unsaid']);
  });

  test('another text', () => {
    const book = new Book().create('run_1');
    const content = [{ type: 'text', text: 'Something else.' }];
    const additional_messages = [{ role: 'user', content }];
    book.answer(
      book.ask('POST', '/v1/threads/thread_1/runs', { model: book.plan.id, additional_messages }),
      null,
    );
    expect(finish(book).kinds()).toContain('inputs_unsaid');
  });
});

test('deeds and faults of the provider are counted', () => {
  const book = ended(
    begun()
      .acts(pay, 1)
      .submit('run_1', [[callId(0), answered(1)]]),
  );
  const activity = { run: book.plan.id, activity: '1', type: 'pay' };
  book
    .deed({ kind: 'worker_killed', pid: 9, aimed: null })
    .deed({ kind: 'worker_stopped', pid: 9 })
    .deed({ kind: 'worker_resumed', pid: 9 })
    .deed({ kind: 'worker_terminated', pid: 9 })
    .deed({ kind: 'activity_paused', ...activity })
    .deed({ kind: 'activity_unpaused', ...activity })
    .deed({ kind: 'activity_reset', ...activity })
    .deed({ kind: 'server_killed' })
    .deed({ kind: 'server_back' });
  const [answer] = book.provider.filter(({ kind }) => kind === 'answer');
  Object.assign(answer ?? {}, { fault: 'status 500' });
  expect(book.verdict().counts).toMatchObject({
    worker_kills: 1,
    worker_stops: 1,
    worker_restarts: 1,
    activity_pauses: 1,
    activity_resets: 1,
    server_restarts: 1,
    provider_faults: 1,
  });
});
