/** Request bodies of the Assistants wire (OpenAPI: CreateRunRequest and its kin). */
import { z } from 'zod';
import { FUNCTION_NAME, METADATA, REASONING_EFFORT } from './body.ts';

const detail = z.enum(['auto', 'low', 'high']).optional();
const PART = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: z.string() }),
  z.strictObject({
    type: z.literal('image_url'),
    image_url: z.strictObject({ url: z.string().min(1), detail }),
  }),
  z.strictObject({
    type: z.literal('image_file'),
    image_file: z.strictObject({ file_id: z.string().min(1), detail }),
  }),
]);

const fileSearch = z.strictObject({
  type: z.literal('file_search'),
  file_search: z
    .strictObject({
      max_num_results: z.int().min(1).max(50).optional(),
      ranking_options: z.looseObject({ score_threshold: z.number().min(0).max(1) }).optional(),
    })
    .optional(),
});
const codeInterpreter = z.strictObject({ type: z.literal('code_interpreter') });

export const MESSAGE_BODY = z.strictObject({
  role: z.enum(['user', 'assistant']),
  content: z.union([z.string(), z.array(PART).min(1)]),
  attachments: z
    .array(
      z.strictObject({
        file_id: z.string(),
        tools: z.array(
          z.discriminatedUnion('type', [codeInterpreter, z.strictObject({ type: z.literal('file_search') })]),
        ),
      }),
    )
    .nullish(),
  metadata: METADATA,
});
export type MessageBody = z.infer<typeof MESSAGE_BODY>;

const TOOL = z.discriminatedUnion('type', [
  codeInterpreter,
  fileSearch,
  z.strictObject({
    type: z.literal('function'),
    function: z.strictObject({
      name: FUNCTION_NAME,
      description: z.string().optional(),
      parameters: z.record(z.string(), z.unknown()).optional(),
      strict: z.boolean().nullish(),
    }),
  }),
]);

const namedChoice = z.strictObject({
  type: z.enum(['function', 'code_interpreter', 'file_search']),
  function: z.strictObject({ name: z.string() }).optional(),
});
const responseFormat = z.union([
  z.literal('auto'),
  z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('text') }),
    z.strictObject({ type: z.literal('json_object') }),
    z.strictObject({
      type: z.literal('json_schema'),
      json_schema: z.strictObject({
        name: FUNCTION_NAME,
        description: z.string().optional(),
        schema: z.record(z.string(), z.unknown()).optional(),
        strict: z.boolean().nullish(),
      }),
    }),
  ]),
]);
const toolResources = z
  .strictObject({
    code_interpreter: z.strictObject({ file_ids: z.array(z.string()).max(20).optional() }).optional(),
    file_search: z.strictObject({ vector_store_ids: z.array(z.string()).max(1).optional() }).optional(),
  })
  .nullish();

const sampling = {
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
};

const runFields = {
  assistant_id: z.string(),
  model: z.string().nullish(),
  instructions: z.string().max(256_000).nullish(),
  tools: z.array(TOOL).max(20).nullish(),
  metadata: METADATA,
  ...sampling,
  stream: z.boolean().nullish(),
  max_prompt_tokens: z.int().min(256).nullish(),
  max_completion_tokens: z.int().min(256).nullish(),
  truncation_strategy: z
    .strictObject({ type: z.enum(['auto', 'last_messages']), last_messages: z.int().min(1).nullish() })
    .nullish(),
  tool_choice: z.union([z.enum(['none', 'auto', 'required']), namedChoice]).nullish(),
  parallel_tool_calls: z.boolean().optional(),
  response_format: responseFormat.nullish(),
};

export const RUN_BODY = z.strictObject({
  ...runFields,
  reasoning_effort: REASONING_EFFORT,
  additional_instructions: z.string().max(256_000).nullish(),
  additional_messages: z.array(MESSAGE_BODY).nullish(),
});
export type RunBody = z.infer<typeof RUN_BODY>;

export const THREAD_BODY = z.strictObject({
  messages: z.array(MESSAGE_BODY).optional(),
  tool_resources: toolResources,
  metadata: METADATA,
});
export type ThreadBody = z.infer<typeof THREAD_BODY>;

export const THREAD_AND_RUN_BODY = z.strictObject({
  ...runFields,
  thread: THREAD_BODY.optional(),
  tool_resources: toolResources,
});
export type ThreadAndRunBody = z.infer<typeof THREAD_AND_RUN_BODY>;

const assistantFields = {
  name: z.string().max(256).nullish(),
  description: z.string().max(512).nullish(),
  instructions: z.string().max(256_000).nullish(),
  reasoning_effort: REASONING_EFFORT,
  tools: z.array(TOOL).max(128).optional(),
  tool_resources: toolResources,
  metadata: METADATA,
  ...sampling,
  response_format: responseFormat.nullish(),
};
export const ASSISTANT_BODY = z.strictObject({ model: z.string().min(1), ...assistantFields });
export type AssistantBody = z.infer<typeof ASSISTANT_BODY>;
export const MODIFY_ASSISTANT_BODY = z.strictObject({
  model: z.string().min(1).optional(),
  ...assistantFields,
});
export type ModifyAssistantBody = z.infer<typeof MODIFY_ASSISTANT_BODY>;

export const METADATA_BODY = z.strictObject({ metadata: METADATA });
export type MetadataBody = z.infer<typeof METADATA_BODY>;
export const MODIFY_THREAD_BODY = z.strictObject({ tool_resources: toolResources, metadata: METADATA });
export type ModifyThreadBody = z.infer<typeof MODIFY_THREAD_BODY>;

export const SUBMIT_BODY = z.strictObject({
  tool_outputs: z
    .array(z.strictObject({ tool_call_id: z.string().optional(), output: z.string().optional() }))
    .optional(),
  /** Azure's, for the calls of remote MCP servers. */
  tool_approvals: z
    .array(
      z.strictObject({ tool_call_id: z.string(), approve: z.boolean(), headers: z.unknown().optional() }),
    )
    .optional(),
  stream: z.boolean().nullish(),
});
export type SubmitBody = z.infer<typeof SUBMIT_BODY>;
