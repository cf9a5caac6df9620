/** Request bodies of the Responses wire (OpenAPI: CreateResponse, InputItem and the conversations'). */
import { z } from 'zod';
import { FUNCTION_NAME, METADATA, REASONING_EFFORT } from './body.ts';

const INPUT_PART = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('input_text'), text: z.string() }),
  z.strictObject({
    type: z.literal('input_image'),
    detail: z.enum(['low', 'high', 'auto', 'original']),
    image_url: z.string().nullish(),
    file_id: z.string().nullish(),
  }),
  z.strictObject({
    type: z.literal('input_file'),
    file_id: z.string().nullish(),
    filename: z.string().optional(),
    file_data: z.string().optional(),
    file_url: z.string().optional(),
  }),
]);
const OUTPUT_PART = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('output_text'),
    text: z.string(),
    annotations: z.array(z.looseObject({})).optional(),
    logprobs: z.array(z.looseObject({})).optional(),
  }),
  z.strictObject({ type: z.literal('refusal'), refusal: z.string() }),
]);

const itemStatus = z.enum(['in_progress', 'completed', 'incomplete']).nullish();
/** 64 characters at most, which is checked later: a server with long ids takes back its own. */
const callId = z.string().min(1);

/** What a user, developer or system says. */
const askingMessage = z.strictObject({
  type: z.literal('message').optional(),
  role: z.enum(['user', 'system', 'developer']),
  content: z.union([z.string(), z.array(INPUT_PART)]),
  status: itemStatus,
});
/** What the assistant said: text, or an output message as it came. */
const answeringMessage = z.strictObject({
  type: z.literal('message').optional(),
  id: z.string().optional(),
  role: z.literal('assistant'),
  content: z.union([z.string(), z.array(OUTPUT_PART)]),
  status: itemStatus,
});
const MESSAGE = z.discriminatedUnion('role', [askingMessage, answeringMessage]);

const functionCall = z.strictObject({
  type: z.literal('function_call'),
  id: z.string().optional(),
  call_id: callId,
  name: z.string(),
  arguments: z.string(),
  status: itemStatus,
});
const functionCallOutput = z.strictObject({
  type: z.literal('function_call_output'),
  id: z.string().nullish(),
  call_id: callId,
  output: z.union([z.string().max(10_485_760), z.array(INPUT_PART)]),
  status: itemStatus,
});
const reasoning = z.strictObject({
  type: z.literal('reasoning'),
  id: z.string(),
  summary: z.array(z.strictObject({ type: z.literal('summary_text'), text: z.string() })),
  content: z.array(z.looseObject({ type: z.literal('reasoning_text') })).optional(),
  encrypted_content: z.string().nullish(),
  status: itemStatus,
});
const approvalRequest = z.strictObject({
  type: z.literal('mcp_approval_request'),
  id: z.string(),
  server_label: z.string(),
  name: z.string(),
  arguments: z.string(),
});
const approvalResponse = z.strictObject({
  type: z.literal('mcp_approval_response'),
  id: z.string().nullish(),
  approval_request_id: z.string(),
  approve: z.boolean(),
  reason: z.string().nullish(),
});
const itemReference = z.strictObject({ type: z.literal('item_reference'), id: z.string() });

const TYPED_ITEM = z.discriminatedUnion('type', [
  functionCall,
  functionCallOutput,
  reasoning,
  approvalRequest,
  approvalResponse,
  itemReference,
]);
export const INPUT_ITEM = z.union([MESSAGE, TYPED_ITEM]);
export type InputItem = z.infer<typeof INPUT_ITEM>;
const INPUT = z.union([z.string().max(10_485_760), z.array(INPUT_ITEM)]);

const TOOL = z.union([
  z.strictObject({
    type: z.literal('function'),
    name: FUNCTION_NAME,
    description: z.string().nullish(),
    parameters: z.record(z.string(), z.unknown()).nullable(),
    strict: z.boolean().nullable(),
  }),
  z.looseObject({ type: z.string().refine((type) => type !== 'function', { abort: true }) }),
]);
const text = z
  .strictObject({
    format: z
      .discriminatedUnion('type', [
        z.strictObject({ type: z.literal('text') }),
        z.strictObject({ type: z.literal('json_object') }),
        z.strictObject({
          type: z.literal('json_schema'),
          name: FUNCTION_NAME,
          schema: z.record(z.string(), z.unknown()),
          description: z.string().optional(),
          strict: z.boolean().nullish(),
        }),
      ])
      .optional(),
    verbosity: z.enum(['low', 'medium', 'high']).nullish(),
  })
  .optional();
const reasoningOptions = z
  .strictObject({
    effort: REASONING_EFFORT,
    summary: z.enum(['auto', 'concise', 'detailed']).nullish(),
  })
  .nullish();
const toolChoice = z.union([z.enum(['none', 'auto', 'required']), z.looseObject({ type: z.string() })]);
const conversation = z.union([z.string(), z.strictObject({ id: z.string() })]).nullish();

export const INCLUDES = [
  'file_search_call.results',
  'web_search_call.results',
  'web_search_call.action.sources',
  'message.input_image.image_url',
  'computer_call_output.output.image_url',
  'code_interpreter_call.outputs',
  'reasoning.encrypted_content',
  'message.output_text.logprobs',
] as const;

export const RESPONSE_BODY = z.strictObject({
  model: z.string().optional(),
  input: INPUT.optional(),
  instructions: z.string().nullish(),
  background: z.boolean().nullish(),
  store: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  previous_response_id: z.string().nullish(),
  conversation,
  tools: z.array(TOOL).optional(),
  tool_choice: toolChoice.optional(),
  parallel_tool_calls: z.boolean().nullish(),
  max_output_tokens: z.int().min(16).nullish(),
  max_tool_calls: z.int().nullish(),
  truncation: z.enum(['auto', 'disabled']).nullish(),
  context_management: z
    .array(z.strictObject({ type: z.string(), compact_threshold: z.int().min(1000).nullish() }))
    .min(1)
    .nullish(),
  metadata: METADATA,
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_logprobs: z.int().min(0).max(20).optional(),
  text,
  reasoning: reasoningOptions,
  service_tier: z.enum(['auto', 'default', 'flex', 'scale', 'priority', 'fast', 'ultrafast']).nullish(),
  include: z.array(z.enum(INCLUDES)).nullish(),
  user: z.string().optional(),
  safety_identifier: z.string().max(64).nullish(),
  prompt_cache_key: z.string().nullish(),
  prompt_cache_retention: z.enum(['in_memory', '24h']).nullish(),
});
export type ResponseBody = z.infer<typeof RESPONSE_BODY>;

export const TOKENS_BODY = z.strictObject({
  model: z.string().nullish(),
  input: INPUT.nullish(),
  instructions: z.string().nullish(),
  previous_response_id: z.string().nullish(),
  conversation,
  tools: z.array(TOOL).nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  text: text.nullable(),
  reasoning: reasoningOptions,
  truncation: z.enum(['auto', 'disabled']).optional(),
});
export type TokensBody = z.infer<typeof TOKENS_BODY>;

export const CONVERSATION_BODY = z.strictObject({
  metadata: METADATA,
  items: z.array(INPUT_ITEM).max(20).nullish(),
});
export type ConversationBody = z.infer<typeof CONVERSATION_BODY>;
export const UPDATE_CONVERSATION_BODY = z.strictObject({ metadata: METADATA.unwrap().nullable() });
export type UpdateConversationBody = z.infer<typeof UPDATE_CONVERSATION_BODY>;
export const ITEMS_BODY = z.strictObject({ items: z.array(INPUT_ITEM).max(20) });
export type ItemsBody = z.infer<typeof ITEMS_BODY>;
