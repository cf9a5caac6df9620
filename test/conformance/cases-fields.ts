/** Every field that a run can be asked for with: seen on the wire, and in the run read back. */
// oxlint-disable vitest/no-standalone-expect -- the suite wraps every case in a test
import { expect } from 'vitest';
import type { ResolvedRun } from '../../src/backends/backend.ts';
import { metadataOf, startAndWatch, TOOL } from '../support/backend-harness.ts';
import type { Case } from './suite.ts';

/** One value for each field, none of them anybody's default. */
const VALUES = {
  model: 'model-of-the-request',
  instructions: 'Speak like a pirate.',
  additional_instructions: 'Be brief.',
  reasoning_effort: 'high',
  tools: [TOOL],
  metadata: { ...metadataOf('fields/1'), ticket: '77' },
  temperature: 0.25,
  top_p: 0.5,
  max_prompt_tokens: 5_000,
  max_completion_tokens: 4_000,
  truncation_strategy: { type: 'last_messages', last_messages: 7 },
  tool_choice: { type: 'function', function: { name: 'get_weather' } },
  parallel_tool_calls: false,
  response_format: {
    type: 'json_schema',
    json_schema: { name: 'weather', schema: { type: 'object' }, strict: false },
  },
  messages: [
    { role: 'user', content: 'What is the weather?' },
    { role: 'assistant', content: 'Where?' },
    { role: 'user', content: 'In Oslo.' },
  ],
} as const satisfies Partial<ResolvedRun>;

type Field = keyof typeof VALUES;

/** These are no properties of the run object, or show in another one. */
const READ_BACK: Readonly<Partial<Record<Field, (run: Readonly<Record<string, unknown>>) => unknown>>> = {
  additional_instructions: (run) =>
    String(run['instructions']).includes(VALUES.additional_instructions)
      ? VALUES.additional_instructions
      : run['instructions'],
  instructions: (run) =>
    String(run['instructions']).startsWith(VALUES.instructions) ? VALUES.instructions : run['instructions'],
};

const carries = (field: Field): Case => [
  `${field} reaches the provider and comes back in the run`,
  async (begin) => {
    const harness = await begin();
    const { messages, ...rest } = VALUES;
    const alone =
      field === 'tool_choice'
        ? { tools: VALUES.tools, tool_choice: VALUES.tool_choice }
        : { [field]: VALUES[field] };
    // Together, as a service would send them, and for each field its own place to look.
    const run = field === 'messages' ? { ...rest, messages } : { messages, ...alone };
    const { seen } = await startAndWatch(harness, { key: 'fields/1', run });
    const exception = harness.exceptions[field];
    const sent = harness.view.sent('fields/1')[field];
    const back =
      field === 'messages' ? VALUES.messages : (READ_BACK[field]?.(seen.run) ?? seen.run[field] ?? null);
    expect({ sent: sent ?? null, back }).toMatchObject({
      sent: exception !== undefined && exception.missing !== 'read_back' ? null : VALUES[field],
      back: exception !== undefined && exception.missing !== 'sent' ? null : VALUES[field],
    });
  },
];

export const FIELD_CASES = {
  field_model: carries('model'),
  field_instructions: carries('instructions'),
  field_additional_instructions: carries('additional_instructions'),
  field_reasoning_effort: carries('reasoning_effort'),
  field_tools: carries('tools'),
  field_metadata: carries('metadata'),
  field_temperature: carries('temperature'),
  field_top_p: carries('top_p'),
  field_max_prompt_tokens: carries('max_prompt_tokens'),
  field_max_completion_tokens: carries('max_completion_tokens'),
  field_truncation_strategy: carries('truncation_strategy'),
  field_tool_choice: carries('tool_choice'),
  field_parallel_tool_calls: carries('parallel_tool_calls'),
  field_response_format: carries('response_format'),
  field_messages: carries('messages'),
  field_nothing_said: [
    'what a run does not say is not sent',
    async (begin) => {
      const harness = await begin();
      await startAndWatch(harness, { key: 'fields/1' });
      const sent = harness.view.sent('fields/1');
      const unsaid = Object.keys(VALUES).filter(
        (field) => !['model', 'instructions', 'metadata', 'messages', 'tools'].includes(field),
      );
      expect(unsaid.filter((field) => (sent[field] ?? null) !== null)).toEqual([]);
    },
  ],
} satisfies Record<string, Case>;
