/** Activities of the plain sample: one call of the official client each, with the client's and Temporal's own retries. */
import OpenAI from 'openai';

export interface TextbookInput {
  readonly assistant_id: string;
  readonly input: string;
  readonly instructions?: string;
  /** @default 1000 */
  readonly poll_ms?: number;
}

export interface SampleCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

export interface SampleOutput {
  readonly tool_call_id: string;
  readonly output: string;
}

/** What the workflow needs of a run. */
export interface SampleRun {
  readonly id: string;
  readonly thread_id: string;
  readonly status: string;
  readonly calls: readonly SampleCall[];
}

export interface TextbookActivities {
  createRun(input: TextbookInput): Promise<SampleRun>;
  retrieveRun(run: SampleRun): Promise<SampleRun>;
  runTool(call: SampleCall): Promise<SampleOutput>;
  submitToolOutputs(run: SampleRun, outputs: readonly SampleOutput[]): Promise<SampleRun>;
  readAnswer(run: SampleRun): Promise<string>;
}

export interface TextbookOptions {
  readonly baseURL: string;
  readonly apiKey: string;
  /** Handlers by the name that the model calls, given the arguments as they were parsed. */
  readonly tools: Readonly<Record<string, (args: unknown) => Promise<string>>>;
}

function slim(run: OpenAI.Beta.Threads.Run): SampleRun {
  const calls = (run.required_action?.submit_tool_outputs.tool_calls ?? []).map((call) => ({
    id: call.id,
    name: call.function.name,
    arguments: call.function.arguments,
  }));
  return { id: run.id, thread_id: run.thread_id, status: run.status, calls };
}

export function createTextbookActivities({ baseURL, apiKey, tools }: TextbookOptions): TextbookActivities {
  const { threads } = new OpenAI({ baseURL, apiKey }).beta;
  return {
    async createRun({ assistant_id, input, instructions }) {
      const thread = await threads.create({ messages: [{ role: 'user', content: input }] });
      const own = instructions === undefined ? {} : { instructions };
      return slim(await threads.runs.create(thread.id, { assistant_id, ...own }));
    },
    async retrieveRun({ id, thread_id }) {
      return slim(await threads.runs.retrieve(id, { thread_id }));
    },
    async runTool({ id, name, arguments: text }) {
      const tool = tools[name];
      if (tool === undefined) return { tool_call_id: id, output: `There is no tool ${name}.` };
      return { tool_call_id: id, output: await tool(JSON.parse(text)) };
    },
    async submitToolOutputs({ id, thread_id }, outputs) {
      return slim(await threads.runs.submitToolOutputs(id, { thread_id, tool_outputs: [...outputs] }));
    },
    async readAnswer({ thread_id }) {
      const { data } = await threads.messages.list(thread_id, { order: 'desc', limit: 1 });
      const [part] = data[0]?.content ?? [];
      return part?.type === 'text' ? part.text.value : '';
    },
  };
}
