/** The official client's helpers with a tool loop written by hand: no durability. One process for all its jobs. */
import OpenAI from 'openai';

/** From the parent. Answered by a {@link Done}. */
export interface Begin {
  readonly id: string;
  readonly threadId?: string;
}

export interface Done {
  readonly id: string;
  /** Epoch milliseconds: when the helper returned with the end. */
  readonly knownAt: number;
  /** Null for completed. */
  readonly error: string | null;
}

const { threads } = new OpenAI({ baseURL: process.argv[2], apiKey: 'bench' }).beta;

async function drive({ id, threadId }: Begin): Promise<Done> {
  const thread_id = threadId ?? (await threads.create()).id;
  await threads.messages.create(thread_id, { role: 'user', content: 'Look it up.' });
  let run = await threads.runs.createAndPoll(thread_id, { assistant_id: id });
  while (run.status === 'requires_action') {
    const calls = run.required_action?.submit_tool_outputs.tool_calls ?? [];
    const tool_outputs = calls.map((call) => ({ tool_call_id: call.id, output: 'found' }));
    run = await threads.runs.submitToolOutputsAndPoll(run.id, { thread_id, tool_outputs });
  }
  const knownAt = Date.now();
  if (run.status === 'completed') await threads.messages.list(thread_id, { order: 'desc', limit: 1 });
  return { id, knownAt, error: run.status === 'completed' ? null : run.status };
}

async function answer(begin: Begin): Promise<void> {
  try {
    process.send?.(await drive(begin));
  } catch (error) {
    process.send?.({ id: begin.id, knownAt: Date.now(), error: String(error) } satisfies Done);
  }
}

process.on('message', (begin: Begin) => void answer(begin));
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
