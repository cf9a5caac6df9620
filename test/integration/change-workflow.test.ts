/**
 * How the workflow is changed while runs are under way (docs/operations.md): the run starts on today's code, is
 * in the middle of it when its worker is replaced, and ends on code that has a step more.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { LoadedConfig } from '../../src/config.ts';
import type { Script } from '../../src/emulator/index.ts';
import { defineTool } from '../../src/tools/define-tool.ts';
import { alterWorkflows } from '../support/altered-workflows.ts';
import type { AlteredWorkflows, Edit } from '../support/altered-workflows.ts';
import { startDrive } from '../support/drive-harness.ts';
import type { Drive } from '../support/drive-harness.ts';

const SHORT_GRACE = { shutdownGraceTime: '200 milliseconds' } as const;
const PATCH = 'pause-before-submit';
const file = 'acting-steps.ts';
/** A pause before outputs are handed in: a timer where old histories have none. */
const pause = (guarded: boolean): readonly Edit[] => [
  {
    file,
    from: "  publishPhase(context, 'submitting outputs');\n",
    to: `  if (${guarded ? `patched('${PATCH}')` : 'true'}) await sleep(50);\n  publishPhase(context, 'submitting outputs');\n`,
  },
  { file, from: 'import { workflowInfo }', to: 'import { patched, sleep, workflowInfo }' },
];

const call = (name: string, n: number): { call: [{ name: string; arguments: { n: number } }] } => ({
  call: [{ name, arguments: { n } }],
});
const SCRIPT: Script = {
  attempts: [{ steps: [call('note', 1), call('hold', 2), { answer: '{{outputs}}' }] }],
};

/** Two tools: one that answers, and one that does so once it is let. */
function makeTools() {
  const gate = { open: false };
  const held = Promise.withResolvers<void>();
  const parameters = z.object({ n: z.number() });
  const note = defineTool({
    name: 'note',
    description: 'Notes a number.',
    parameters,
    effect: 'none',
    execute: ({ n }) => `noted ${n}`,
  });
  const hold = defineTool({
    name: 'hold',
    description: 'Answers once it is let.',
    parameters,
    effect: 'none',
    execute: ({ n }, { signal }) => {
      held.resolve();
      if (gate.open) return `held ${n}`;
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('let go')));
      });
    },
  });
  return { tools: [note, hold], gate, held: held.promise };
}

describe('a run that is under way when the workflow changes', () => {
  let altered: AlteredWorkflows;
  let guarded: string;
  let unguarded: string;
  beforeAll(async () => {
    altered = await alterWorkflows();
    guarded = await altered.bundle('guarded', pause(true));
    unguarded = await altered.bundle('unguarded', pause(false));
  });
  afterAll(() => altered[Symbol.asyncDispose]());

  /** Past its first round, with a tool of the second one running, and no worker any more. */
  async function startOnOldCode(drive: Drive, held: Promise<void>, id: string): Promise<void> {
    drive.play('bot', SCRIPT);
    await drive.runs.start({ assistant_id: 'bot', input: 'Go.' }, { id });
    await held;
    await drive.stopWorkers();
  }

  /** Timers and markers of patches, in order: what the change adds to a history. */
  async function added(drive: Drive, id: string): Promise<readonly string[]> {
    const { events } = await drive.client.workflow.getHandle(id).fetchHistory();
    return (events ?? []).flatMap((event) => {
      const marker = event.markerRecordedEventAttributes;
      if (marker?.markerName === 'core_patch') return ['patch'];
      return event.timerStartedEventAttributes ? ['timer'] : [];
    });
  }

  test('ends on the new code where `patched` guards the change, and a run after it takes the new way', async () => {
    const { tools, gate, held } = makeTools();
    await using drive = await startDrive('responses', {
      tools,
      config: { worker: SHORT_GRACE },
    });
    const id = drive.id('changed');
    await startOnOldCode(drive, held, id);
    expect(await added(drive, id)).toEqual([]);

    gate.open = true;
    await drive.startWorker({ code: guarded });
    const result = await drive.runs.getHandle(id).result();
    expect(result.output_text).toBe('noted 1\nheld 2');
    // Its first round was handed in by the old code, its second one by the new.
    expect(await added(drive, id)).toEqual(['patch', 'timer']);

    const fresh = drive.id('fresh');
    await drive.runs.execute({ assistant_id: 'bot', input: 'Go.' }, { id: fresh });
    expect(await added(drive, fresh)).toEqual(['patch', 'timer', 'timer']);
  });

  test('stands still where nothing guards it, and ends once a worker has code that fits its history', async () => {
    const { tools, gate, held } = makeTools();
    await using drive = await startDrive('responses', {
      tools,
      config: { worker: SHORT_GRACE },
    });
    const id = drive.id('unguarded');
    await startOnOldCode(drive, held, id);

    gate.open = true;
    await drive.startWorker({ code: unguarded });
    const handle = drive.client.workflow.getHandle(id);
    const failed = async (): Promise<string | null | undefined> => {
      const { events } = await handle.fetchHistory();
      const tasks = events?.flatMap((event) => event.workflowTaskFailedEventAttributes ?? []);
      return tasks?.at(-1)?.failure?.message;
    };
    await expect.poll(failed, { timeout: 60_000 }).toMatch(/TMPRL1100|[Nn]ondeterminism/);
    expect((await handle.describe()).status.name).toBe('RUNNING');

    await drive.stopWorkers();
    await drive.startWorker({ code: guarded });
    expect((await drive.runs.getHandle(id).result()).output_text).toBe('noted 1\nheld 2');
  });

  test('stays with its build where workers are versioned, and a run after it takes the new one', async () => {
    const { tools, gate, held } = makeTools();
    await using drive = await startDrive('responses', { tools, config: { worker: SHORT_GRACE }, idle: true });
    const deploymentName = drive.id('deployment');
    const versioned = (buildId: string): LoadedConfig['worker'] => ({
      ...SHORT_GRACE,
      workerDeploymentOptions: {
        useWorkerVersioning: true,
        version: { deploymentName, buildId },
        defaultVersioningBehavior: 'PINNED',
      },
    });
    const makeCurrent = async (buildId: string): Promise<void> => {
      const { namespace } = drive.client.options;
      const { workflowService: service } = drive.client;
      const asked = { namespace, deploymentName, buildId, ignoreMissingTaskQueues: true };
      const taskQueue = { name: drive.taskQueue };
      const current = async (): Promise<string | null | undefined> => {
        const { versioningInfo } = await service.describeTaskQueue({
          namespace,
          taskQueue,
          taskQueueType: 1,
        });
        return versioningInfo?.currentDeploymentVersion?.buildId;
      };
      // A build can be made current once a worker of it has polled, and the queue hears of it a little later.
      const set = (): Promise<boolean> =>
        service.setWorkerDeploymentCurrentVersion(asked).then(
          () => true,
          () => false,
        );
      await expect.poll(set, { timeout: 60_000 }).toBe(true);
      await expect.poll(current, { timeout: 60_000 }).toBe(buildId);
    };
    drive.play('bot', SCRIPT);
    await drive.startWorker(undefined, versioned('old'));
    await makeCurrent('old');
    const id = drive.id('pinned');
    await drive.runs.start({ assistant_id: 'bot', input: 'Go.' }, { id });
    await held;

    await drive.startWorker({ code: unguarded }, versioned('new'));
    await makeCurrent('new');
    const fresh = drive.id('fresh');
    gate.open = true;
    await drive.runs.execute({ assistant_id: 'bot', input: 'Go.' }, { id: fresh });
    expect(await added(drive, fresh)).toEqual(['timer', 'timer']);

    await drive.stopWorkers();
    await drive.startWorker({ code: unguarded }, versioned('new'));
    await drive.startWorker(undefined, versioned('old'));
    expect((await drive.runs.getHandle(id).result()).output_text).toBe('noted 1\nheld 2');
    expect(await added(drive, id)).toEqual([]);
  });
});
