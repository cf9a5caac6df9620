/** The official client's `createAndPoll` and `submitToolOutputsAndPoll`, in a process of their own. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Stage } from '../stage.ts';
import type { Begin, Done } from './create-and-poll-child.ts';
import type { Driver } from './driver.ts';

const CHILD = fileURLToPath(new URL('./create-and-poll-child.ts', import.meta.url));

export async function startCreateAndPoll(stage: Stage): Promise<Driver> {
  const child = fork(CHILD, [stage.provider.url], { execArgv: [] });
  await once(child, 'message');
  const jobs = new Map<string, PromiseWithResolvers<Done>>();
  child.on('message', (done: Done) => jobs.get(done.id)?.resolve(done));
  const doneOf = async (id: string): Promise<Done> => {
    const job = jobs.get(id);
    if (job === undefined) throw new Error(`The run ${id} was never begun.`);
    const done = await job.promise;
    if (done.error !== null) throw new Error(`The run ${id} did not complete: ${done.error}`);
    return done;
  };
  return {
    name: 'createAndPoll',
    pid: child.pid ?? 0,
    start: ({ id, threadId }) => {
      jobs.set(id, Promise.withResolvers());
      child.send({ id, ...(threadId === undefined ? {} : { threadId }) } satisfies Begin);
      return Promise.resolve();
    },
    ended: async ({ id }) => void (await doneOf(id)),
    knownAt: async ({ id }) => (await doneOf(id)).knownAt,
    history: null,
    stop: async () => {
      const gone = once(child, 'exit');
      child.disconnect();
      await gone;
    },
  };
}
