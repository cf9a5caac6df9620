/**
 * The schema of a run request: shapes and limits of single fields. Also the source of
 * `docs/schema/run-request.json`. Rules across fields are in `request-rules.ts`.
 */
import { z } from 'zod';
import { LIMITS } from './contract.ts';

const YEAR_SECONDS = 31_536_000;
const ID_CHARS = 512;
/** On a message the wire's 16 pairs are all the service's. */
export const MESSAGE_METADATA_PAIRS = 16;

const TOOL_NAME = new RegExp(`^[a-zA-Z0-9_-]{1,${LIMITS.toolNameChars}}$`);
const CONTROLS = String.raw`\u0000-\u001f\u007f-\u009f`;
/** An id that goes into a URL's path at the provider. */
const PATH_ID = new RegExp(String.raw`^(?!\.{1,2}$)[^\s/\\?#%${CONTROLS}]*$`);
const PRINTABLE = new RegExp(`^[^${CONTROLS}]*$`);

const id = z.string().min(1).max(ID_CHARS).regex(PRINTABLE);
const count = (minimum: number, maximum: number) => z.int().min(minimum).max(maximum);
const seconds = z.number().positive().max(YEAR_SECONDS);
const text = z.string().min(1);
const instructions = z.string().max(LIMITS.instructionsChars);
const tokens = z.int().min(LIMITS.minTokens);
const looseObject = z.looseObject({ type: z.string().min(1).max(ID_CHARS) });

const metadata = (pairs: number) =>
  z
    .record(z.string().min(1).max(LIMITS.metadataKeyChars), z.string().max(LIMITS.metadataValueChars))
    .meta({ maxProperties: pairs });

const detail = z.enum(['auto', 'low', 'high']).exactOptional();
const url = z
  .string()
  .regex(/^(?:https?|data):/)
  .describe('An http or https URL, or a small data URL');

const part = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text }),
  z.strictObject({ type: z.literal('image_url'), image_url: z.strictObject({ url, detail }) }),
  z.strictObject({ type: z.literal('image_file'), image_file: z.strictObject({ file_id: id, detail }) }),
  z.strictObject({
    type: z.literal('file'),
    file: z.strictObject({
      file_id: id.exactOptional(),
      url: url.exactOptional(),
      filename: z.string().min(1).max(ID_CHARS).exactOptional(),
    }),
  }),
]);

const message = z.strictObject({
  role: z.enum(['user', 'assistant']),
  content: z.union([text, z.array(part).min(1)]),
  attachments: z
    .array(z.looseObject({}))
    .exactOptional()
    .describe('Files for tools of the provider, as `{file_id, tools}`; on the assistants wire only'),
  metadata: metadata(MESSAGE_METADATA_PAIRS).exactOptional(),
});

const tool = z.union([
  z.string().regex(TOOL_NAME).describe('The name of a tool that the worker has registered'),
  z
    .looseObject({
      type: z.string().min(1).max(ID_CHARS),
      function: z
        .looseObject({
          name: z.string().regex(TOOL_NAME),
          description: z.string().exactOptional(),
          parameters: z.looseObject({}).nullable().exactOptional(),
          strict: z.boolean().nullable().exactOptional(),
        })
        .exactOptional(),
    })
    .describe(
      'A tool as on the wire. Credentials in it are references, `{"secret": "NAME"}`, resolved in the worker',
    ),
]);

const choice = z.enum(['retry', 'end']).exactOptional();

export const retrySchema = z.strictObject({
  attempts: count(1, 100).exactOptional().describe('Attempts in all, the first included. Default 3'),
  expired: choice,
  gone: choice,
  max_completion_tokens: choice,
  max_prompt_tokens: choice,
  content_filter: choice,
  rate_limit_exceeded: choice,
  server_error: choice,
  invalid_prompt: choice,
  cancelled_elsewhere: choice,
  invalid_output: choice,
  budget_factor: z
    .number()
    .min(1)
    .max(100)
    .exactOptional()
    .describe('What a token budget is multiplied by after it ran out. Default 2'),
  budget_ceiling_tokens: tokens
    .exactOptional()
    .describe('The largest token budget that Drover asks for by itself. Default 128000'),
  backoff_seconds: seconds
    .exactOptional()
    .describe("First wait before another attempt after a server's error. Default 2"),
});

export const limitsSchema = z.strictObject({
  deadline_seconds: seconds
    .exactOptional()
    .describe('From the start of the run to its end, tools and waits included. Default 3600'),
  attempt_seconds: seconds
    .exactOptional()
    .describe('For one attempt; it then counts as expired. Default: none'),
  rounds: count(1, 10_000).exactOptional().describe('Rounds of tool calls over all attempts. Default 32'),
  tokens: z
    .int()
    .min(1)
    .exactOptional()
    .describe('Tokens of all attempts together; checked before each step that spends. Default: none'),
  cost: z
    .number()
    .positive()
    .exactOptional()
    .describe("As `tokens`, in the unit of the configuration's `price`. Default: none"),
  history_events: count(1, 50_000)
    .exactOptional()
    .describe('Continue as new once the history has this many events. Default: when Temporal suggests it'),
});

export const runRequestSchema = z
  .strictObject({
    assistant_id: id.describe("The provider's assistant, or one that the worker's configuration names"),
    backend: id.exactOptional().describe("A backend of the worker's configuration. Default: its default"),
    thread_id: z
      .string()
      .min(1)
      .max(ID_CHARS)
      .regex(PATH_ID)
      .nullable()
      .exactOptional()
      .describe('A thread (on the Responses wire: a conversation) to go on with. Default: a new one'),
    on_busy_thread: z
      .enum(['enqueue', 'reject', 'interrupt', 'proceed'])
      .exactOptional()
      .describe(
        'Where the thread has another run: `enqueue` waits for its turn, `reject` ends, `interrupt` cancels that run and goes next, `proceed` asks for no turn. Default: enqueue',
      ),
    turn_seconds: seconds
      .exactOptional()
      .describe('How long it waits for its turn; the deadline counts from there. Default 86400'),
    input: z
      .union([text, z.array(message).min(1).max(LIMITS.inputMessages)])
      .exactOptional()
      .describe('What the run is about: one user message, or several messages'),
    context: z.unknown().optional().describe('Trusted JSON for the tools; never sent to the provider'),
    model: id.nullable().exactOptional(),
    reasoning_effort: id.nullable().exactOptional(),
    instructions: instructions.nullable().exactOptional().describe("Replaces the assistant's instructions"),
    additional_instructions: instructions.nullable().exactOptional().describe('Appended to the instructions'),
    additional_messages: z
      .array(message)
      .max(LIMITS.inputMessages)
      .nullable()
      .exactOptional()
      .describe('Messages after `input`'),
    tools: z
      .array(tool)
      .max(LIMITS.tools)
      .nullable()
      .exactOptional()
      .describe("Replaces the assistant's tools: the run can call these and no others"),
    metadata: metadata(LIMITS.metadataPairs)
      .nullable()
      .exactOptional()
      .describe("The wire allows 16 pairs, two of which are Drover's: `drover_run` and `drover_key`"),
    temperature: z.number().min(0).max(2).nullable().exactOptional(),
    top_p: z.number().min(0).max(1).nullable().exactOptional(),
    max_prompt_tokens: tokens.nullable().exactOptional(),
    max_completion_tokens: tokens.nullable().exactOptional(),
    truncation_strategy: z
      .strictObject({
        type: z.enum(['auto', 'last_messages']),
        last_messages: z.int().min(1).nullable().exactOptional(),
      })
      .nullable()
      .exactOptional(),
    tool_choice: z
      .union([
        z.enum(['none', 'auto', 'required']),
        z.looseObject({
          type: z.string().min(1).max(ID_CHARS),
          function: z.looseObject({ name: z.string().regex(TOOL_NAME) }).exactOptional(),
        }),
      ])
      .nullable()
      .exactOptional(),
    parallel_tool_calls: z.boolean().nullable().exactOptional(),
    response_format: z
      .union([z.literal('auto'), looseObject])
      .nullable()
      .exactOptional(),
    retry: retrySchema.exactOptional().describe('When to try again, and when to stop'),
    limits: limitsSchema.exactOptional(),
    on_unfinished: z
      .enum(['fail', 'return'])
      .exactOptional()
      .describe(
        '`fail` fails the workflow of a run that did not complete; `return` returns its result. Default: fail',
      ),
  })
  .meta({ title: 'RunRequest', description: 'The input of the workflow `driveRun`' });

/** Names of the fields of a request and of the objects in it. */
export const KNOWN_FIELDS: Readonly<Record<'request' | 'retry' | 'limits' | 'message', readonly string[]>> = {
  request: Object.keys(runRequestSchema.shape),
  retry: Object.keys(retrySchema.shape),
  limits: Object.keys(limitsSchema.shape),
  message: Object.keys(message.shape),
};
