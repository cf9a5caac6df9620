/** The activities of the textbook loop: one call of the official client each, and nothing around it. */
import { ApplicationFailure, Context } from '@temporalio/activity';
import { APIError, OpenAI } from 'openai';

export type TextbookWire = 'assistants' | 'responses';

/** What a handler is told beside its arguments. */
export interface TextbookToolCall {
  readonly id: string;
  /** The workflow id. */
  readonly run: string;
}

/** Given the model's arguments as they were parsed. */
export type TextbookTool = (args: unknown, call: TextbookToolCall) => Promise<unknown>;

export interface TextbookActivitiesOptions {
  readonly baseURL: string;
  readonly apiKey: string;
  readonly tools: Readonly<Record<string, TextbookTool>>;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface CreateInput {
  readonly wire: TextbookWire;
  readonly assistant_id: string;
  readonly model: string;
  readonly input: string;
  readonly instructions: string | null;
  readonly thread_id: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly max_completion_tokens: number | null;
}

export interface TextbookCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** The run, or the response, as the loop needs it. */
export interface Seen {
  readonly wire: TextbookWire;
  readonly id: string;
  readonly thread_id: string | null;
  readonly model: string;
  readonly status: string;
  readonly calls: readonly TextbookCall[];
  /** The metadata that each request of it bears. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface ToolOutput {
  readonly tool_call_id: string;
  readonly output: string;
}

export interface TextbookActivities {
  createRun(input: CreateInput): Promise<Seen>;
  retrieveRun(seen: Seen): Promise<Seen>;
  runTool(call: TextbookCall): Promise<string>;
  submitToolOutputs(seen: Seen, outputs: readonly ToolOutput[]): Promise<Seen>;
  cancelRun(seen: Seen): Promise<void>;
  readAnswer(seen: Seen): Promise<string>;
}

/** Another try would be refused in the same way. */
const isRefusal = (status: number | undefined): boolean =>
  status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 409 && status !== 429;

async function ask<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (error instanceof APIError && isRefusal(error.status as number | undefined))
      throw ApplicationFailure.nonRetryable(error.message, 'Refused');
    throw error;
  }
}

function seenRun(run: OpenAI.Beta.Threads.Run): Seen {
  const calls = run.required_action?.submit_tool_outputs.tool_calls ?? [];
  return {
    wire: 'assistants',
    id: run.id,
    thread_id: run.thread_id,
    model: run.model,
    status: run.status,
    calls: calls.map(({ id, function: f }) => ({ id, name: f.name, arguments: f.arguments })),
    metadata: run.metadata ?? {},
  };
}

/** A response that calls functions has completed; what waits is the chain. */
function seenResponse(response: OpenAI.Responses.Response): Seen {
  const calls = response.output.flatMap((item) =>
    item.type === 'function_call' ? [{ id: item.call_id, name: item.name, arguments: item.arguments }] : [],
  );
  const waits = response.status === 'completed' && calls.length > 0;
  return {
    wire: 'responses',
    id: response.id,
    thread_id: response.conversation?.id ?? null,
    model: response.model,
    status: waits ? 'requires_action' : (response.status ?? 'queued'),
    calls,
    metadata: response.metadata ?? {},
  };
}

/** @param options where the provider is, and the tools by the names under which the model calls them */
export function createTextbookActivities(options: TextbookActivitiesOptions): TextbookActivities {
  const { baseURL, apiKey, tools, headers = {} } = options;
  // Temporal retries.
  const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, defaultHeaders: { ...headers } });
  const { runs, messages } = client.beta.threads;

  async function createOnThread(input: CreateInput): Promise<Seen> {
    const said = { role: 'user' as const, content: input.input };
    const thread =
      input.thread_id === null
        ? (await client.beta.threads.create({ messages: [said] })).id
        : input.thread_id;
    if (input.thread_id !== null) await messages.create(thread, said);
    const { assistant_id, model, instructions, metadata, max_completion_tokens } = input;
    return seenRun(
      await runs.create(thread, {
        assistant_id,
        model,
        instructions,
        metadata: { ...metadata },
        max_completion_tokens,
      }),
    );
  }

  return {
    createRun: (input) =>
      ask(async () => {
        if (input.wire === 'assistants') return createOnThread(input);
        return seenResponse(
          await client.responses.create({
            model: input.model,
            instructions: input.instructions,
            input: [{ role: 'user', content: input.input }],
            background: true,
            metadata: { ...input.metadata },
            max_output_tokens: input.max_completion_tokens,
            ...(input.thread_id === null ? {} : { conversation: input.thread_id }),
          }),
        );
      }),
    retrieveRun: ({ wire, id, thread_id }) =>
      ask(async () =>
        wire === 'assistants'
          ? seenRun(await runs.retrieve(id, { thread_id: thread_id ?? '' }))
          : seenResponse(await client.responses.retrieve(id)),
      ),
    runTool: async ({ id, name, arguments: text }) => {
      const tool = tools[name];
      if (tool === undefined) return `There is no tool ${name}.`;
      const run = Context.current().info.workflowExecution?.workflowId ?? '';
      return JSON.stringify(await tool(JSON.parse(text), { id, run }));
    },
    submitToolOutputs: (seen, outputs) =>
      ask(async () => {
        if (seen.wire === 'assistants')
          return seenRun(
            await runs.submitToolOutputs(seen.id, {
              thread_id: seen.thread_id ?? '',
              tool_outputs: outputs.map((output) => ({ ...output })),
            }),
          );
        return seenResponse(
          await client.responses.create({
            model: seen.model,
            background: true,
            metadata: { ...seen.metadata },
            input: outputs.map(({ tool_call_id, output }) => ({
              type: 'function_call_output' as const,
              call_id: tool_call_id,
              output,
            })),
            ...(seen.thread_id === null
              ? { previous_response_id: seen.id }
              : { conversation: seen.thread_id }),
          }),
        );
      }),
    cancelRun: ({ wire, id, thread_id }) =>
      ask(async () => {
        if (wire === 'assistants') await runs.cancel(id, { thread_id: thread_id ?? '' });
        else await client.responses.cancel(id);
      }),
    readAnswer: ({ wire, id, thread_id }) =>
      ask(async () => {
        if (wire === 'responses') return (await client.responses.retrieve(id)).output_text;
        const page = await messages.list(thread_id ?? '', { run_id: id, order: 'desc', limit: 1 });
        const part = page.data[0]?.content.find(({ type }) => type === 'text');
        return part?.type === 'text' ? part.text.value : '';
      }),
  };
}
