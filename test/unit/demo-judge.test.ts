import { describe, expect, test } from 'vitest';
import type { RunResult } from '../../src/contract.ts';
import { readRunFacts } from '../../src/demo/journal-facts.ts';
import type { Journals } from '../../src/demo/journal-facts.ts';
import { compareWithResult, judge } from '../../src/demo/judge.ts';
import { SCENARIOS } from '../../src/demo/scenarios.ts';
import type { Scenario } from '../../src/demo/scenario.ts';
import type { ToolEntry } from '../../src/demo/tool-journal.ts';
import type { JournalEntry } from '../../src/emulator/index.ts';

const RUN = 'demo-run-1';
const RECEIPT = 're_12345678';

/** Writes journals as the emulator and the tools do; time goes on by a second with each entry. */
class Book {
  readonly provider: JournalEntry[] = [];
  readonly tools: ToolEntry[] = [];
  readonly kills: { pid: number; at: number }[] = [];
  readonly approvals: { runId: string; at: number }[] = [];
  readonly #wire: Scenario['wire'];
  #now = 0;

  constructor(wire: Scenario['wire']) {
    this.#wire = wire;
  }

  #add(entry: object): number {
    const seq = this.provider.length + 1;
    this.provider.push({ seq, at: (this.#now += 1_000), ...entry } as JournalEntry);
    return seq;
  }

  /** A POST, and what became of it. */
  post(path: string, body: object, acted = true): this {
    const wire = this.#wire;
    const request = this.#add({ kind: 'request', wire, method: 'POST', path, query: {}, body, headers: {} });
    const status = acted ? 200 : 400;
    this.#add({
      kind: 'answer',
      request,
      method: 'POST',
      path,
      status,
      acted,
      id: null,
      delivered: true,
      fault: null,
    });
    return this;
  }

  status(id: string, attempt: number, ...path: readonly (string | null)[]): this {
    for (let at = 1; at < path.length; at += 1) {
      const metadata = { drover_run: RUN, drover_key: `x/${attempt}` };
      const thread = this.#wire === 'assistants' ? 'thread_1' : null;
      const [from, to] = [path[at - 1], path[at]];
      const common = { kind: 'status', wire: this.#wire, id, metadata, thread };
      this.#add({ ...common, from, to, model: 'm', attempt: attempt - 1 });
    }
    return this;
  }

  /** On the Assistants wire. Only the first one brings the message. */
  createRun(id: string, attempt: number, withMessage = attempt === 1): this {
    const metadata = { drover_run: RUN, drover_key: `x/${attempt}` };
    const added = withMessage ? { additional_messages: [{ role: 'user', content: 'Hello' }] } : {};
    this.post('/v1/threads/thread_1/runs', { assistant_id: 'a', metadata, ...added });
    return this.status(id, attempt, null, 'queued', 'in_progress');
  }

  submit(id: string, outputs: Readonly<Record<string, string>>, acted = true): this {
    const listed = Object.entries(outputs).map(([key, output]) => ({ tool_call_id: key, output }));
    return this.post(`/v1/threads/thread_1/runs/${id}/submit_tool_outputs`, { tool_outputs: listed }, acted);
  }

  createResponse(id: string, attempt: number, body: object): this {
    const metadata = { drover_run: RUN, drover_key: `x/${attempt}` };
    this.post('/v1/responses', { model: 'm', metadata, ...body });
    return this.status(id, attempt, null, 'queued', 'in_progress');
  }

  tool(event: ToolEntry['event'], call: Partial<ToolEntry> & Pick<ToolEntry, 'tool' | 'subject'>): this {
    const receipt = event === 'done' ? RECEIPT : null;
    const rest = { event, receipt, key: 'k', run_id: RUN, attempt: 1, tool_call_id: 'call_refund', pid: 7 };
    this.tools.push({ ...rest, at: (this.#now += 1_000), ...call });
    return this;
  }

  approve(): this {
    this.approvals.push({ runId: RUN, at: (this.#now += 1_000) });
    return this;
  }

  kill(pid: number): this {
    this.kills.push({ pid, at: (this.#now += 1_000) });
    return this;
  }
}

const scenario = (name: string): Scenario => SCENARIOS.find((one) => one.name === name)!;
const factsOf = (journals: Journals) => readRunFacts(RUN, journals);
const findingsOf = (name: string, book: Book) => judge(scenario(name), factsOf(book));

const message = { input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }] };
const output = (call: string, text: string) => ({
  type: 'function_call_output',
  call_id: call,
  output: text,
});
const refunded = { tool: 'refund_order', subject: 'order 1042' };

/** The beginning of the story `expire`: an attempt that expires while the refund is under way. */
const expiring = (): Book =>
  new Book('assistants')
    .createRun('run_1', 1)
    .status('run_1', 1, 'in_progress', 'requires_action')
    .tool('started', refunded)
    .status('run_1', 1, 'requires_action', 'expired')
    .tool('done', refunded)
    .submit('run_1', { call_refund: RECEIPT }, false);

/** Its second attempt, up to the answers. */
const secondAttempt = (book: Book): Book =>
  book.createRun('run_2', 2).status('run_2', 2, 'in_progress', 'requires_action');
const answered = (book: Book): Book =>
  book
    .submit('run_2', { call_refund_again: `{"refund_id":"${RECEIPT}"}` })
    .status('run_2', 2, 'requires_action', 'queued', 'in_progress', 'completed');

/** The story `approve`: what comes between the model's call and its answer is the test's. */
const approving = (between: (book: Book) => Book): Book =>
  between(
    new Book('responses')
      .createResponse('resp_1', 1, message)
      .status('resp_1', 1, 'in_progress', 'completed'),
  )
    .createResponse('resp_2', 1, {
      previous_response_id: 'resp_1',
      input: [output('call_refund', `{"refund_id":"${RECEIPT}"}`)],
    })
    .status('resp_2', 1, 'in_progress', 'completed');
const largeRefund = { tool: 'refund_order', subject: 'order 1044' };

describe('a run that waits for an approval', () => {
  test('starts its tool after it', () => {
    const book = approving((story) => story.approve().tool('started', largeRefund).tool('done', largeRefund));
    expect(findingsOf('approve', book)).toEqual([]);
  });

  test('and not before, nor without', () => {
    const before = approving((story) =>
      story.tool('started', largeRefund).approve().tool('done', largeRefund),
    );
    expect(findingsOf('approve', before)).toEqual([
      { expected: 'its tool starts once somebody has approved it', found: 'it started before' },
    ]);
    const without = approving((story) => story.tool('started', largeRefund).tool('done', largeRefund));
    expect(findingsOf('approve', without)).toMatchObject([{ found: 'nobody approved it' }]);
  });
});

describe('a run that went as it should', () => {
  test('without tools', () => {
    const book = new Book('assistants').createRun('run_1', 1).status('run_1', 1, 'in_progress', 'completed');
    expect(findingsOf('answer', book)).toEqual([]);
  });

  test('with an attempt that expired', () => {
    expect(findingsOf('expire', answered(secondAttempt(expiring())))).toEqual([]);
  });

  test('with two tools at the same time', () => {
    const weather = { tool: 'get_weather', subject: 'Berlin', tool_call_id: 'call_weather' };
    const time = { tool: 'get_time', subject: 'Europe/Berlin', tool_call_id: 'call_time' };
    const both = [output('call_time', RECEIPT), output('call_weather', RECEIPT)];
    const book = new Book('responses')
      .createResponse('resp_1', 1, message)
      .status('resp_1', 1, 'in_progress', 'completed')
      .tool('started', weather)
      .tool('started', time)
      .tool('done', weather)
      .tool('done', time)
      .createResponse('resp_2', 1, { previous_response_id: 'resp_1', input: both })
      .status('resp_2', 1, 'in_progress', 'completed');
    expect(findingsOf('parallel', book)).toEqual([]);
  });

  test('with a larger budget', () => {
    const book = new Book('responses')
      .createResponse('resp_1', 1, { ...message, max_output_tokens: 256 })
      .status('resp_1', 1, 'in_progress', 'incomplete')
      .createResponse('resp_2', 2, { ...message, max_output_tokens: 512 })
      .status('resp_2', 2, 'in_progress', 'completed');
    expect(findingsOf('budget', book)).toEqual([]);
  });

  test('after broken arguments', () => {
    const weather = { tool: 'get_weather', subject: 'Berlin', tool_call_id: 'call_mended' };
    const book = new Book('assistants')
      .createRun('run_1', 1)
      .status('run_1', 1, 'in_progress', 'requires_action')
      .submit('run_1', { call_broken: '{"error":{"code":"bad_arguments"}}' })
      .status('run_1', 1, 'requires_action', 'queued', 'requires_action')
      .tool('started', weather)
      .tool('done', weather)
      .submit('run_1', { call_mended: RECEIPT })
      .status('run_1', 1, 'requires_action', 'queued', 'completed');
    expect(findingsOf('malformed', book)).toEqual([]);
  });

  test('under a worker that was killed', () => {
    const refund = { tool: 'refund_order', subject: 'order 1043' };
    const book = new Book('responses')
      .createResponse('resp_1', 1, message)
      .status('resp_1', 1, 'in_progress', 'completed')
      .tool('started', refund)
      .tool('done', refund)
      .kill(7)
      .createResponse('resp_2', 1, {
        previous_response_id: 'resp_1',
        input: [output('call_refund', RECEIPT)],
      })
      .status('resp_2', 1, 'in_progress', 'completed');
    expect(findingsOf('killed', book)).toEqual([]);
  });
});

describe('a run that did not', () => {
  const found = (name: string, book: Book): string =>
    findingsOf(name, book)
      .map((finding) => `${finding.expected} | ${finding.found}`)
      .join('\n');

  test('an effect that was made twice', () => {
    const book = secondAttempt(expiring()).tool('started', { ...refunded, attempt: 2 });
    book.tool('done', { ...refunded, attempt: 2 });
    expect(found('expire', answered(book))).toBe(
      'refund_order is started once and acts once on order 1042 | it was started 2 times and acted 2 times (attempt 1, 2; process 7)',
    );
  });

  test('an effect that was started a second time, although it acted once', () => {
    const book = secondAttempt(expiring()).tool('started', { ...refunded, attempt: 2 });
    expect(found('expire', answered(book))).toContain('it was started 2 times and acted 1 time');
  });

  test('an effect that was never made', () => {
    const book = new Book('assistants').createRun('run_1', 1).status('run_1', 1, 'in_progress', 'expired');
    expect(found('expire', book)).toContain('it was started 0 times and acted 0 times');
  });

  test('an effect on something else', () => {
    const book = expiring().tool('done', { ...refunded, subject: 'order 7' });
    expect(found('expire', answered(secondAttempt(book)))).toBe(
      'no tool does anything else | refund_order done on order 7',
    );
  });

  test('a run that was never created', () => {
    expect(found('answer', new Book('assistants'))).toBe(
      '1 attempt: completed | no attempt was ever created',
    );
  });

  test('a run that was lost on its way', () => {
    const book = new Book('assistants').createRun('run_1', 1);
    expect(found('answer', book)).toBe(
      [
        '1 attempt: completed | 1 attempt: in_progress; not every one has ended',
        'no attempt is left alive | still alive: run_1',
      ].join('\n'),
    );
  });

  test('two attempts that live at the same time', () => {
    const book = new Book('responses')
      .createResponse('resp_1', 1, { ...message, max_output_tokens: 256 })
      .createResponse('resp_2', 2, { ...message, max_output_tokens: 512 })
      .status('resp_1', 1, 'in_progress', 'incomplete')
      .status('resp_2', 2, 'in_progress', 'completed');
    expect(found('budget', book)).toBe(
      'at most one attempt lives at a time | these lived at the same time: resp_1, resp_2',
    );
  });

  test('one create that landed twice under the same key', () => {
    const book = new Book('assistants')
      .createRun('run_1', 1)
      .createRun('run_2', 1, false)
      .status('run_1', 1, 'in_progress', 'completed')
      .status('run_2', 1, 'in_progress', 'completed');
    expect(found('answer', book)).toContain('run_1, run_2');
  });

  test('a call that was never answered', () => {
    const book = secondAttempt(expiring()).status('run_2', 2, 'requires_action', 'completed');
    expect(found('expire', book)).toBe(
      'attempt 2, answers a round at a time: [call_refund_again] | attempt 2: no call is answered',
    );
  });

  test('a call that was answered twice', () => {
    const book = secondAttempt(expiring()).submit('run_2', { call_refund_again: RECEIPT });
    expect(found('expire', answered(book))).toContain('[call_refund_again] then [call_refund_again]');
  });

  test('outputs that came in two submits', () => {
    const book = new Book('responses')
      .createResponse('resp_1', 1, message)
      .status('resp_1', 1, 'in_progress', 'completed')
      .createResponse('resp_2', 1, { input: [output('call_weather', RECEIPT)] })
      .status('resp_2', 1, 'in_progress', 'completed')
      .createResponse('resp_3', 1, { input: [output('call_time', RECEIPT)] })
      .status('resp_3', 1, 'in_progress', 'completed');
    expect(found('parallel', book)).toContain(
      '[call_time, call_weather] | attempt 1: [call_weather] then [call_time]',
    );
  });

  test('an answer that is not what the tool gave', () => {
    const book = secondAttempt(expiring())
      .submit('run_2', { call_refund_again: '{"error":{"code":"tool_failed"}}' })
      .status('run_2', 2, 'requires_action', 'completed');
    expect(found('expire', book)).toBe(
      'call call_refund_again is answered with what refund_order gave | it was answered with an error',
    );
  });

  test('broken arguments with which a tool was run', () => {
    const weather = { tool: 'get_weather', subject: 'Berlin', tool_call_id: 'call_broken' };
    const book = new Book('assistants')
      .createRun('run_1', 1)
      .tool('started', weather)
      .tool('done', weather)
      .submit('run_1', { call_broken: RECEIPT });
    expect(found('malformed', book)).toContain('get_weather was run for it');
  });

  test('an input that stands twice in its thread', () => {
    const book = expiring().createRun('run_2', 2, true).status('run_2', 2, 'in_progress', 'requires_action');
    expect(found('expire', answered(book))).toBe(
      'the input stands once in its thread | it stands there 2 times',
    );
  });

  test('an input that never arrived', () => {
    const book = new Book('assistants')
      .createRun('run_1', 1, false)
      .status('run_1', 1, 'in_progress', 'completed');
    expect(found('answer', book)).toContain('it stands nowhere');
  });

  test('a budget that did not grow', () => {
    const book = new Book('responses')
      .createResponse('resp_1', 1, { ...message, max_output_tokens: 256 })
      .status('resp_1', 1, 'in_progress', 'incomplete')
      .createResponse('resp_2', 2, { ...message, max_output_tokens: 256 })
      .status('resp_2', 2, 'in_progress', 'completed');
    expect(found('budget', book)).toBe(
      'each attempt has more completion tokens than the one before | the attempts had 256, 256',
    );
  });

  test('tools that worked one after the other', () => {
    const weather = { tool: 'get_weather', subject: 'Berlin', tool_call_id: 'call_weather' };
    const time = { tool: 'get_time', subject: 'Europe/Berlin', tool_call_id: 'call_time' };
    const book = new Book('responses')
      .tool('started', weather)
      .tool('done', weather)
      .tool('started', time)
      .tool('done', time);
    expect(found('parallel', book)).toContain('they worked one after the other');
  });

  test('an attempt that expired when no tool worked', () => {
    const book = new Book('assistants')
      .createRun('run_1', 1)
      .tool('started', refunded)
      .tool('done', refunded)
      .status('run_1', 1, 'in_progress', 'expired');
    expect(found('expire', answered(secondAttempt(book)))).toBe(
      'attempt 1 ends while a tool still works | no tool worked when it ended',
    );
  });

  test('a worker that was not killed, or none that went on', () => {
    const refund = { tool: 'refund_order', subject: 'order 1043' };
    const book = new Book('responses')
      .createResponse('resp_1', 1, message)
      .tool('started', refund)
      .tool('done', refund)
      .status('resp_1', 1, 'in_progress', 'completed')
      .kill(8);
    expect(found('killed', book)).toContain('no worker that ran its tools was killed');
    expect(found('killed', book.kill(7))).toContain('nothing was done after the kill');
  });
});

describe('a message on the thread of another', () => {
  /** What the journal shows of the run before it, up to its own create. */
  const behind = (...path: readonly string[]) => {
    const book = new Book('assistants');
    const other = {
      kind: 'status',
      wire: 'assistants',
      id: 'run_0',
      thread: 'thread_1',
      model: 'm',
      attempt: 0,
    };
    for (const [at, to] of path.entries()) {
      const metadata = { drover_run: 'demo-run-0', drover_key: 'y/1' };
      const seq = book.provider.length + 1;
      book.provider.push({
        ...other,
        seq,
        at: seq,
        from: path[at - 1] ?? null,
        to,
        metadata,
      } as JournalEntry);
    }
    return factsOf(book.createRun('run_1', 1).status('run_1', 1, 'in_progress', 'completed'));
  };
  const next = SCENARIOS.find(({ name }) => name === 'next')!;

  test('begins once the one before it has ended, and not sooner', () => {
    const waited = behind('queued', 'in_progress', 'completed');
    expect(waited.before).toEqual({ ended: 1, alive: 0 });
    expect(judge(next, waited)).toEqual([]);
    expect(judge(next, behind('queued', 'in_progress'))).toMatchObject([
      { found: 'of the others there, 0 had ended and 1 lived' },
    ]);
    expect(judge(next, behind())).toHaveLength(1);
  });
});

describe("Drover's word against the journals", () => {
  const facts = factsOf(
    new Book('assistants').createRun('run_1', 1).status('run_1', 1, 'in_progress', 'completed'),
  );
  const result = (status: string, ids: readonly string[]): RunResult =>
    ({
      run: { status },
      code: status === 'completed' ? null : 'internal',
      attempts: [{ status: 'completed', provider_ids: ids }],
    }) as unknown as RunResult;

  test('says nothing where they agree', () => {
    expect(compareWithResult(result('completed', ['run_1']), facts)).toEqual([]);
  });

  test.each([
    ['gave no result', null, 'it gave none'],
    ['calls a completed run failed', result('failed', ['run_1']), 'it reports failed (internal)'],
    ['names another attempt', result('completed', ['run_9']), 'it reports completed (run_9)'],
  ])('finds that it %s', (_, said, found) => {
    expect(compareWithResult(said, facts)).toMatchObject([{ found, source: 'Drover' }]);
  });

  test('finds that it calls a run completed that was not', () => {
    const open = factsOf(new Book('assistants').createRun('run_1', 1));
    const expected = 'Drover reports the run as not completed, as the journals show it';
    expect(compareWithResult(result('completed', ['run_1']), open)).toContainEqual(
      expect.objectContaining({ expected }),
    );
  });
});

describe('the scenarios', () => {
  test('give each call an id of its own, on both wires', () => {
    for (const { script } of SCENARIOS) {
      const ids = script.attempts.flatMap(({ steps }) =>
        steps.flatMap((step) => ('call' in step ? step.call.map(({ id }) => id) : [])),
      );
      expect(ids).not.toContain(undefined);
      expect(new Set(ids).size).toBe(ids.length);
    }
    expect(new Set(SCENARIOS.map(({ wire }) => wire))).toEqual(new Set(['assistants', 'responses']));
  });
});
