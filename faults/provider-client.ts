/** What the stage itself asks of the provider: threads for runs that go on with one, and whether they still work. */
import { ASSISTANT } from './plan.ts';
import type { Wire } from './plan.ts';
import { PROBE_MODEL } from './judge/threads.ts';

async function post(url: string, body: object): Promise<Response> {
  return await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'openai-beta': 'assistants=v2' },
    body: JSON.stringify(body),
  });
}

/** @throws Error where the provider does not take it */
export async function makeThread(baseUrl: string, wire: Wire): Promise<string> {
  const answer = await post(`${baseUrl}/${wire === 'assistants' ? 'threads' : 'conversations'}`, {});
  const { id } = (await answer.json()) as { readonly id?: string };
  if (!answer.ok || typeof id !== 'string') throw new Error(`No thread was made: HTTP ${answer.status}.`);
  return id;
}

/** Starts a run on the thread. Whether it worked stands in the provider's journal. */
export async function tryThread(baseUrl: string, wire: Wire, thread: string): Promise<void> {
  if (wire === 'assistants') {
    await post(`${baseUrl}/threads/${thread}/runs`, { assistant_id: ASSISTANT, model: PROBE_MODEL });
  } else {
    await post(`${baseUrl}/responses`, {
      model: PROBE_MODEL,
      conversation: thread,
      input: 'Can this go on?',
      background: true,
    });
  }
}
