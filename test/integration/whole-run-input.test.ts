/** What a service says to the model: in every form, on each wire, once in its thread however often it is tried. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LIMITS, METADATA_KEYS } from '../../src/contract.ts';
import type { InputMessage, RunRequest } from '../../src/contract.ts';
import type { RequestEntry, Step } from '../../src/emulator/index.ts';
import { startDrive, WIRES, type Drive } from '../support/drive-harness.ts';
import { call, recordingTools, type Recording } from '../support/recording-tools.ts';

type Wire = (typeof WIRES)[number];
type Body = Readonly<Record<string, unknown>>;

async function ask<T>(drive: Drive, path: string, body?: object): Promise<T> {
  const response = await fetch(`${drive.emulator.url}${path}`, {
    headers: { 'content-type': 'application/json', 'openai-beta': 'assistants=v2' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  return (await response.json()) as T;
}

/** Requests that made an attempt, or a step of one. */
const creates = (drive: Drive, id: string): readonly RequestEntry[] =>
  drive.emulator
    .journal()
    .filter((entry) => entry.kind === 'request')
    .filter(({ method, path }) => method === 'POST' && /\/(?:runs|responses)$/.test(path))
    .filter(
      ({ body }) => (body as { readonly metadata?: Body } | null)?.metadata?.[METADATA_KEYS.run] === id,
    );

const bodyOf = (drive: Drive, id: string): Body => creates(drive, id)[0]?.body as Body;

interface Item {
  readonly type?: string;
  readonly role?: string;
  readonly content?: readonly { readonly text?: string | { readonly value: string } }[];
}

/** The texts of the user's messages in a thread or conversation, the oldest first. */
async function saidIn(drive: Drive, wire: Wire, thread: string): Promise<readonly string[]> {
  const [place, list] = wire === 'assistants' ? ['threads', 'messages'] : ['conversations', 'items'];
  const path = `/${place}/${thread}/${list}?limit=100&order=asc`;
  return textsOf((await ask<{ readonly data: readonly Item[] }>(drive, path)).data);
}

const textsOf = (items: readonly Item[]): readonly string[] =>
  items
    .filter(({ role }) => role === 'user')
    .flatMap(({ content }) => content ?? [])
    .flatMap(({ text }) => (typeof text === 'object' ? text.value : (text ?? [])));

/** All that the model sees of the user at this response: its whole chain. */
async function saidInChain(drive: Drive, id: string): Promise<readonly string[]> {
  const response = await ask<{ readonly previous_response_id: string | null }>(drive, `/responses/${id}`);
  const before = response.previous_response_id;
  const { data } = await ask<{ readonly data: readonly Item[] }>(
    drive,
    `/responses/${id}/input_items?order=asc`,
  );
  return [...(before === null ? [] : await saidInChain(drive, before)), ...textsOf(data)];
}

const text = (said: string) => ({ type: 'text', text: said }) as const;
const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'low' } } as const;
const plainImage = { type: 'image_url', image_url: { url: 'https://example.com/b.png' } } as const;
const dataImage = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } } as const;
const imageFile = { type: 'image_file', image_file: { file_id: 'file_img', detail: 'high' } } as const;
const file = { type: 'file', file: { file_id: 'file_doc' } } as const;
const fileUrl = { type: 'file', file: { url: 'https://example.com/a.pdf' } } as const;
const fileData = {
  type: 'file',
  file: { url: 'data:application/pdf;base64,AAAA', filename: 'a.pdf' },
} as const;

/** What goes out for an input, or the field by which it is refused. */
type Form = readonly [
  label: string,
  input: NonNullable<RunRequest['input']>,
  expected: Readonly<Record<Wire, readonly unknown[] | { readonly refused: string }>>,
];

const user = (...content: InputMessage['content'][number][]): readonly InputMessage[] => [
  { role: 'user', content: content as Extract<InputMessage['content'], readonly unknown[]> },
];
const item = (role: string, ...content: readonly unknown[]) => ({ type: 'message', role, content });
const inputText = (said: string) => ({ type: 'input_text', text: said });

const FORMS: readonly Form[] = [
  [
    'a string',
    'Hello',
    {
      assistants: [{ role: 'user', content: 'Hello' }],
      responses: [item('user', inputText('Hello'))],
    },
  ],
  [
    'messages of both roles',
    [
      { role: 'user', content: 'Where is it?' },
      { role: 'assistant', content: 'Which one?' },
      { role: 'assistant', content: [text('Order 7?')] },
      { role: 'user', content: [text('Yes, '), text('that one.')] },
    ],
    {
      assistants: [
        { role: 'user', content: 'Where is it?' },
        { role: 'assistant', content: 'Which one?' },
        { role: 'assistant', content: [text('Order 7?')] },
        { role: 'user', content: [text('Yes, '), text('that one.')] },
      ],
      responses: [
        item('user', inputText('Where is it?')),
        item('assistant', { type: 'output_text', text: 'Which one?', annotations: [] }),
        item('assistant', { type: 'output_text', text: 'Order 7?', annotations: [] }),
        item('user', inputText('Yes, '), inputText('that one.')),
      ],
    },
  ],
  [
    'images by URL and by file',
    user(text('What is this?'), image, plainImage, imageFile),
    {
      assistants: [{ role: 'user', content: [text('What is this?'), image, plainImage, imageFile] }],
      responses: [
        item(
          'user',
          inputText('What is this?'),
          { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'low' },
          { type: 'input_image', image_url: 'https://example.com/b.png', detail: 'auto' },
          { type: 'input_image', file_id: 'file_img', detail: 'high' },
        ),
      ],
    },
  ],
  [
    'an image in a data URL',
    user(text('This?'), dataImage),
    {
      assistants: { refused: 'messages[0].content[1].image_url.url' },
      responses: [
        item('user', inputText('This?'), {
          type: 'input_image',
          image_url: 'data:image/png;base64,AAAA',
          detail: 'auto',
        }),
      ],
    },
  ],
  [
    'a file by its id',
    user(text('Read this.'), file),
    {
      assistants: [
        {
          role: 'user',
          content: [text('Read this.')],
          attachments: [{ file_id: 'file_doc', tools: [{ type: 'file_search' }] }],
        },
      ],
      responses: [item('user', inputText('Read this.'), { type: 'input_file', file_id: 'file_doc' })],
    },
  ],
  [
    'a file by URL',
    user(text('Read this.'), fileUrl),
    {
      assistants: { refused: 'messages[0].content[1].file' },
      responses: [
        item('user', inputText('Read this.'), { type: 'input_file', file_url: 'https://example.com/a.pdf' }),
      ],
    },
  ],
  [
    'a file in a data URL',
    user(text('Read this.'), fileData),
    {
      assistants: { refused: 'messages[0].content[1].file' },
      responses: [
        item('user', inputText('Read this.'), {
          type: 'input_file',
          file_data: 'data:application/pdf;base64,AAAA',
          filename: 'a.pdf',
        }),
      ],
    },
  ],
  [
    'a file and nothing beside it',
    user(file),
    {
      assistants: { refused: 'messages[0].content' },
      responses: [item('user', { type: 'input_file', file_id: 'file_doc' })],
    },
  ],
  [
    'attachments',
    [
      {
        role: 'user',
        content: 'Read this.',
        attachments: [{ file_id: 'file_doc', tools: [{ type: 'code_interpreter' }] }],
      },
    ],
    {
      assistants: [
        {
          role: 'user',
          content: 'Read this.',
          attachments: [{ file_id: 'file_doc', tools: [{ type: 'code_interpreter' }] }],
        },
      ],
      responses: { refused: 'messages.0.attachments' },
    },
  ],
  [
    "a message's metadata, which the Responses wire leaves out",
    [{ role: 'user', content: 'Hi', metadata: { source: 'mail' } }],
    {
      assistants: [{ role: 'user', content: 'Hi', metadata: { source: 'mail' } }],
      responses: [item('user', inputText('Hi'))],
    },
  ],
];

describe.each(WIRES)('what a service says, on the %s wire', (wire) => {
  let drive: Drive;
  let shop: Recording;
  beforeAll(async () => {
    shop = recordingTools();
    drive = await startDrive(wire, { tools: shop.tools });
  });
  beforeEach(() => void shop.effects.splice(0));
  afterAll(() => drive[Symbol.asyncDispose]());

  const messagesOf = (id: string): unknown =>
    bodyOf(drive, id)[wire === 'assistants' ? 'additional_messages' : 'input'];
  const makeThread = async (): Promise<string> =>
    (await ask<{ readonly id: string }>(drive, wire === 'assistants' ? '/threads' : '/conversations', {})).id;

  test.each(FORMS)('goes out as the wire has it: %s', async (_label, input, expected) => {
    const id = drive.id('form');
    drive.play('bot', { attempts: [{ steps: [{ answer: 'Read.' }] }] });
    const outcome = await (await drive.runs.start({ assistant_id: 'bot', input }, { id })).outcome();
    const wanted = expected[wire];
    const { code, issues } = outcome;
    const sent = creates(drive, id).length === 0 ? null : messagesOf(id);
    expect({ code, refused: issues.map(({ field }) => field), sent }).toEqual(
      'refused' in wanted
        ? { code: 'invalid_request', refused: [wanted.refused], sent: null }
        : { code: null, refused: [], sent: wanted },
    );
  });

  test('goes on with additional messages and instructions', async () => {
    const id = drive.id('additional');
    drive.play('bot', { attempts: [{ steps: [{ answer: 'Ok.' }] }] });
    const result = await drive.runs.execute(
      {
        assistant_id: 'bot',
        input: 'First',
        additional_messages: [{ role: 'user', content: 'Second' }],
        instructions: 'Be kind.',
        additional_instructions: 'Be brief.',
      },
      { id },
    );
    const [first, second] = ['First', 'Second'];
    expect(messagesOf(id)).toEqual(
      wire === 'assistants'
        ? [
            { role: 'user', content: first },
            { role: 'user', content: second },
          ]
        : [item('user', inputText(first)), item('user', inputText(second))],
    );
    expect(result.run.instructions).toMatch(/^Be kind\.\n+Be brief\.$/);
  });

  test('may be nothing, where a thread holds it already', async () => {
    const thread = await makeThread();
    const [place, entry] =
      wire === 'assistants'
        ? (['messages', { role: 'user', content: 'Said before' }] as const)
        : (['items', { items: [{ role: 'user', content: 'Said before' }] }] as const);
    await ask(drive, `/${wire === 'assistants' ? 'threads' : 'conversations'}/${thread}/${place}`, entry);
    drive.play('bot', { attempts: [{ steps: [{ answer: 'Ok.' }] }] });
    const result = await drive.runs.execute(
      { assistant_id: 'bot', thread_id: thread },
      { id: drive.id('bare') },
    );
    expect(result.run).toMatchObject({ status: 'completed', thread_id: thread });
    expect(await saidIn(drive, wire, thread)).toEqual(['Said before']);
  });

  test('context is for the tools alone: neither it nor any of its keys reaches the provider', async () => {
    drive.play('bot', {
      attempts: [{ steps: [{ call: [call('get_order', { order_id: '7' })] }, { answer: 'Ok.' }] }],
    });
    const context = { marked_key: ['marked-value', { deep: 'marked-deep' }] };
    await drive.runs.execute({ assistant_id: 'bot', input: 'Go', context }, { id: drive.id('context') });
    expect(shop.effects.map((effect) => effect.context)).toEqual([context]);
    const journal = JSON.stringify(drive.emulator.journal());
    for (const mark of ['marked_key', 'marked-value', 'marked-deep']) expect(journal).not.toContain(mark);
  });

  test.each([
    undefined,
    null,
    {},
    { ticket: '77' },
    Object.fromEntries(Array.from({ length: LIMITS.metadataPairs }, (_, n) => [`key_${n}`, 'x'])),
  ])('metadata comes back without Drover’s own pairs: %j', async (metadata) => {
    const id = drive.id('metadata');
    drive.play('bot', { attempts: [{ steps: [{ answer: 'Ok.' }] }] });
    const result = await drive.runs.execute(
      { assistant_id: 'bot', input: 'Go', ...(metadata === undefined ? {} : { metadata }) },
      { id },
    );
    expect(result.run.metadata).toEqual(metadata ?? {});
    expect(bodyOf(drive, id)['metadata']).toEqual({
      ...metadata,
      [METADATA_KEYS.run]: id,
      [METADATA_KEYS.key]: expect.any(String) as unknown,
    });
  });

  /** Three attempts that end badly in three ways, each after a round of calls, and one that ends well. */
  const round: Step = { call: [call('get_order', { order_id: '7' })] };
  const late: Step = wire === 'assistants' ? { expire: true } : { hang: true };
  const BAD = {
    'the first step of each': [
      { steps: [late] },
      { steps: [{ incomplete: 'max_completion_tokens' }] },
      { steps: [{ fail: { code: 'server_error', message: 'oops' } }] },
      { steps: [{ answer: 'Well.' }] },
    ],
    'a later step of each': [
      { steps: [round, late] },
      { steps: [round, { incomplete: 'max_completion_tokens' }] },
      { steps: [round, { fail: { code: 'server_error', message: 'oops' } }, { answer: 'Well.' }] },
      { steps: [round, { answer: 'Well.' }] },
    ],
  } as const;

  const cases = Object.keys(BAD).flatMap((label) =>
    ([true, false] as const).map((given) => [label as keyof typeof BAD, given] as const),
  );

  test.each(cases)(
    'stands once in its thread after %s was lost (a thread was given: %j)',
    async (label, given) => {
      const id = drive.id('once');
      const thread_id = given ? await makeThread() : null;
      drive.play('bot', { attempts: BAD[label] });
      const result = await drive.runs.execute(
        {
          assistant_id: 'bot',
          input: [
            { role: 'user', content: 'Marked one' },
            { role: 'user', content: [{ type: 'text', text: 'Marked two' }] },
          ],
          additional_messages: [{ role: 'user', content: 'Marked three' }],
          thread_id,
          retry: { attempts: 4, backoff_seconds: 0.1 },
          limits: { attempt_seconds: 2 },
        },
        { id },
      );
      expect(result.attempts.map(({ reason }) => reason)).toEqual([
        wire === 'assistants' ? 'expired' : 'attempt_timeout',
        'max_completion_tokens',
        'server_error',
        'completed',
      ]);
      const { thread_id: thread } = result.run;
      const heard =
        thread === null
          ? await saidInChain(drive, result.attempts[3]?.id ?? '')
          : await saidIn(drive, wire, thread);
      expect(heard).toEqual(['Marked one', 'Marked two', 'Marked three']);
      expect(given ? thread : null).toBe(thread_id);
      expect(thread === null).toBe(wire === 'responses' && !given);
    },
  );
});
