import { describe, expect, test } from 'vitest';
import {
  matchInput,
  matchOutputs,
  matchTail,
  openCalls,
  responseOf,
  surveyConversation,
} from '../../src/backends/responses-conversation.ts';
import { canResume } from '../../src/backends/responses-steps.ts';
import { EMPTY_STATE, withState } from '../../src/backends/responses-state.ts';
import type { JsonObject } from '../../src/run.ts';

const says = (role: string, text: string, id = `msg_${text}`): JsonObject => ({
  id,
  type: 'message',
  role,
  content: [{ type: role === 'assistant' ? 'output_text' : 'input_text', text }],
});
const calls = (id: string): JsonObject => ({
  id: `fc_${id}`,
  type: 'function_call',
  call_id: id,
  name: 'f',
  arguments: '{}',
});
const answers = (id: string): JsonObject => ({
  id: `fco_${id}`,
  type: 'function_call_output',
  call_id: id,
  output: 'x',
});
const hello = says('user', 'hello');
const again = says('user', 'again');

describe('what of the input stands in the conversation', () => {
  test('nothing, after the anchor: all is missing', () => {
    expect(matchInput([hello], [])).toEqual({ missing: [hello], followed: [] });
  });
  test('a part: the rest is missing', () => {
    expect(matchInput([hello, again], [hello])).toEqual({ missing: [again], followed: [] });
  });
  test('all, with what came of it', () => {
    const answer = says('assistant', 'hi');
    expect(matchInput([hello], [hello, answer])).toEqual({ missing: [], followed: [answer] });
  });
  test('the same words by somebody before do not count as one message twice', () => {
    expect(matchInput([hello, hello], [hello]).missing).toEqual([hello]);
  });
  test('without an anchor the newest messages have to be exactly these', () => {
    expect(matchTail([hello], [again, hello, says('assistant', 'hi')]).missing).toEqual([]);
    expect(matchTail([hello], [hello, says('assistant', 'hi'), again]).missing).toEqual([hello]);
    expect(matchTail([again, hello], [hello]).missing).toEqual([again, hello]);
  });
});

describe('what a lost request led to', () => {
  test('a message completes, a call waits', () => {
    expect(responseOf([says('assistant', 'hi', 'msg_9')])).toMatchObject({
      id: 'msg_9',
      status: 'completed',
    });
    expect(responseOf([calls('c')])).toMatchObject({ id: 'fc_c', output: [{ call_id: 'c' }] });
  });
  test('an item that was cut makes it incomplete', () => {
    expect(responseOf([{ ...says('assistant', 'hi'), status: 'incomplete' }])).toMatchObject({
      status: 'incomplete',
    });
  });
  test.each([
    ['nothing', []],
    ['reasoning alone', [{ id: 'rs', type: 'reasoning' }]],
    ['words of somebody else', [says('assistant', 'hi'), again]],
    ['answers to its calls by somebody else', [calls('c'), answers('c'), says('assistant', 'hi')]],
  ])('%s is nothing to take up', (_name, followed) => {
    expect(responseOf(followed)).toBeNull();
  });
  test('outputs that landed are not missing', () => {
    const items = [calls('a'), calls('b'), answers('a'), answers('b'), says('assistant', 'hi')];
    expect(matchOutputs(['a', 'b'], items)).toEqual({ missing: [], followed: [items[4]] });
    expect(matchOutputs(['a', 'b'], items.slice(0, 3))).toEqual({ missing: ['b'], followed: [] });
    expect(openCalls(items.slice(0, 3)).map(({ id }) => id)).toEqual(['b']);
  });
});

describe('reading back to the anchor', () => {
  const paged = (...pages: readonly (readonly string[])[]) => {
    const asked: (string | null)[] = [];
    const list = (after: string | null) => {
      const at = asked.push(after) - 1;
      const items = (pages[at] ?? []).map((id) => ({ id, type: 'message', role: 'user', content: [] }));
      return Promise.resolve({ items, more: at < pages.length - 1 });
    };
    return { list, asked };
  };

  test('takes the items after it, oldest first, over pages', async () => {
    const { list, asked } = paged(['5', '4'], ['3', '2', '1'], ['0']);
    const survey = await surveyConversation(list, '2');
    expect(survey.items.map((one) => one['id'])).toEqual(['3', '4', '5']);
    expect(survey.seen.map((one) => one['id'])).toEqual(['1', '2', '3', '4', '5']);
    expect(survey).toMatchObject({ newest: '5', complete: true });
    expect(asked).toEqual([null, '4']);
  });
  test('of a conversation that was empty takes all', async () => {
    const survey = await surveyConversation(paged(['2'], ['1']).list, '');
    expect(survey).toMatchObject({ newest: '2', complete: true });
    expect(survey.items).toHaveLength(2);
  });
  test('that is not there says so', async () => {
    expect((await surveyConversation(paged(['1']).list, 'gone')).complete).toBe(false);
  });
  test('without one reads a page', async () => {
    const { list, asked } = paged(['2'], ['1']);
    expect(await surveyConversation(list, null)).toMatchObject({ newest: '2', complete: false });
    expect(asked).toEqual([null]);
  });
});

describe('going on from a failed attempt', () => {
  const failed = (code: string, sent: readonly string[]) =>
    withState(
      { id: 'resp_2', thread_id: null, key: 'k', provider_ids: ['resp_1', 'resp_2'], state: null },
      { ...EMPTY_STATE, sent, last: { status: 'failed', error_code: code, usage: null, calls: [] } },
    );
  const outputs = [{ tool_call_id: 'a', output: 'x' }];
  test.each([
    ['server_error on a later step', failed('server_error', ['a']), outputs, true],
    ['rate limit on a later step', failed('rate_limit_exceeded', ['a']), outputs, true],
    ['invalid prompt', failed('invalid_prompt', ['a']), outputs, false],
    ['the first step', failed('server_error', []), outputs, false],
    ['other outputs', failed('server_error', ['b']), outputs, false],
    ['no outputs', failed('server_error', ['a']), [], false],
    ['no attempt before', null, outputs, false],
  ] as const)('%s', (_name, previous, given, expected) => {
    expect(canResume(previous, given)).toBe(expected);
  });
});
