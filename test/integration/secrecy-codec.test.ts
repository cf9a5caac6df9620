/** With a codec that encrypts: nothing that was said can be read in Temporal, and every part of a run still works. */
import { randomBytes } from 'node:crypto';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { NAMES } from '../../src/contract.ts';
import type { RunRequest, RunResult } from '../../src/contract.ts';
import { isRunEndedError } from '../../src/errors.ts';
import type { Step } from '../../src/emulator/index.ts';
import { defineTool } from '../../src/tools/define-tool.ts';
import { ToolError } from '../../src/tools/tool-error.ts';
import { WORKFLOWS_PATH } from '../../src/workflow-bundle.ts';
import { startDrive, type Drive, type Wire } from '../support/drive-harness.ts';
import { encryptingCodec, encryptingConverter } from '../support/encrypting-codec.ts';
import { rawEvents, textsIn, type RawEvent } from '../support/raw-history.ts';
import { call } from '../support/recording-tools.ts';
import { replayError } from '../support/replay.ts';

/** Stands in everything that is said, by anybody. */
const MARK = 'mark3d';
const said = (what: string): string => `${MARK}-${what}`;

const readable = (value: unknown): readonly string[] => textsIn(value).filter((text) => text.includes(MARK));

const request = {
  assistant_id: 'bot',
  input: [
    { role: 'user', content: said('prompt') },
    { role: 'user', content: [{ type: 'text', text: said('part') }] },
  ],
  instructions: said('instructions'),
  additional_instructions: said('additional'),
  additional_messages: [{ role: 'user', content: said('additional-message') }],
  context: { tenant: said('context') },
  metadata: { note: said('metadata') },
  retry: { backoff_seconds: 0.1 },
} as const satisfies RunRequest;

/** Tools that say marked things wherever a tool can say something; `gate` holds the slow one. */
function markedTools() {
  const acts: string[] = [];
  const held = { gate: Promise.resolve(), acts };
  const parameters = z.object({ said: z.string() });
  const slow = defineTool({
    name: 'slow',
    description: said('description'),
    parameters,
    execute: async (args, ctx) => {
      acts.push('slow');
      ctx.heartbeat({ at: said('heartbeat') });
      await held.gate;
      return { output: said('output'), echo: args.said };
    },
  });
  const once = defineTool({
    name: 'once',
    description: 'Acts once.',
    parameters,
    effect: 'once',
    effectKey: (args) => [args.said ?? null],
    lookup: () => Promise.resolve({ status: 'done', output: said('looked-up') }),
    execute: () => {
      acts.push('once');
      throw new Error(said('thrown'));
    },
  });
  const refuses = defineTool({
    name: 'refuses',
    description: 'Always refuses.',
    parameters,
    activity: { retry: { maximumAttempts: 1 } },
    execute: () => {
      throw new ToolError(said('tool-error'));
    },
  });
  return Object.assign(held, { tools: [slow, once, refuses] });
}

const answer: Step = { answer: `${said('answer')} {{outputs}}` };
const round: Step = {
  call: [
    call('slow', { said: said('arguments') }),
    call('once', { said: said('once-arguments') }),
    call('refuses', { said: said('more-arguments') }),
    call('slow', `{"${said('malformed')}`),
    call(said('unknown-tool'), {}),
  ],
};

describe.each(['responses', 'assistants', 'foreground'] as const satisfies readonly Wire[])(
  'with an encrypting codec, on the %s wire',
  (wire) => {
    const codec = encryptingCodec(randomBytes(32));
    const dataConverter = encryptingConverter(codec);
    const shop = markedTools();
    let bundle: WorkflowBundleWithSourceMap;
    let drive: Drive;
    beforeAll(async () => {
      bundle = await bundleWorkflowCode({
        workflowsPath: WORKFLOWS_PATH,
        logger: new DefaultLogger('ERROR'),
        ...(dataConverter.failureConverterPath === undefined
          ? {}
          : { failureConverterPath: dataConverter.failureConverterPath }),
      });
      drive = await startDrive(wire, { tools: shop.tools, bundle, config: { dataConverter } });
    });
    afterAll(() => drive[Symbol.asyncDispose]());

    /** All that the server holds of a run, as it holds it. */
    async function heldOf(id: string): Promise<Record<string, unknown>> {
      const { raw } = await drive.client.workflow.getHandle(id).describe();
      return { events: await rawEvents(drive.client, id), description: raw };
    }

    /** A query's answer as it goes over the wire. */
    const rawQuery = (id: string, queryType: string): Promise<unknown> =>
      drive.client.workflowService.queryWorkflow({
        namespace: drive.client.options.namespace,
        execution: { workflowId: id },
        query: { queryType },
      });

    test('a run with tools, a retry and another worker works, and nothing of it can be read', async () => {
      const id = drive.id('codec');
      drive.play('bot', {
        attempts: [
          {
            steps: [
              { think_ms: 300 },
              round,
              { fail: { code: 'server_error', message: said('words') } },
              answer,
            ],
          },
          { steps: [round, answer] },
        ],
      });
      let open = (): void => undefined;
      shop.gate = new Promise((resolve) => {
        open = () => resolve();
      });
      shop.acts.splice(0);
      const handle = await drive.runs.start(request, { id });
      await vi.waitFor(() => expect(shop.acts).toContain('slow'), { timeout: 20_000 });
      await vi.waitFor(
        async () => {
          const { raw } = await handle.workflow.describe();
          const beats = (raw.pendingActivities ?? []).filter((activity) => activity.heartbeatDetails);
          expect(beats).not.toEqual([]);
        },
        { timeout: 20_000 },
      );
      const during = await heldOf(id);
      const progress = await handle.progress();
      const metadata = await rawQuery(id, '__temporal_workflow_metadata');
      open();
      await drive.stopWorkers();
      await drive.startWorker();
      const result = await handle.result();

      expect(result.output_text).toContain(said('answer'));
      for (const spoken of ['output', 'arguments', 'tool-error', 'looked-up']) {
        expect(result.output_text).toContain(said(spoken));
      }
      expect(result.attempts.map(({ reason }) => reason)).toEqual(['server_error', 'completed']);
      expect(shop.acts.filter((tool) => tool === 'once')).toHaveLength(1);
      expect(progress.pending_calls.map(({ name }) => name)).toContain('slow');
      expect(result.run.metadata).toEqual(request.metadata);

      const after = await heldOf(id);
      const query = await rawQuery(id, NAMES.queries.result);
      expect(readable({ during, metadata, after, query })).toEqual([]);
      const failures = (after['events'] as readonly RawEvent[]).flatMap(
        (event) => event.activityTaskFailedEventAttributes?.failure ?? [],
      );
      expect(failures.length).toBeGreaterThan(0);
      expect(failures.filter(({ message }) => message !== 'Encoded failure')).toEqual([]);
      expect(codec.counts.encoded).toBeGreaterThan(0);
      expect(codec.counts.decoded).toBeGreaterThan(0);
    });

    test('its history replays with the same converter', async () => {
      const id = drive.id('replayed');
      drive.play('bot', { attempts: [{ steps: [round, { answer: said('answer') }] }] });
      await drive.runs.execute(request, { id });
      expect(await replayError(drive.client, id, { workflowBundle: bundle, dataConverter })).toBeNull();
    });

    test('a run that ended badly gives its whole result to the client, and nobody else', async () => {
      const id = drive.id('failed');
      drive.play('bot', {
        attempts: [{ steps: [round, { fail: { code: 'invalid_prompt', message: said('words') } }] }],
      });
      const error: unknown = await drive.runs.execute(request, { id }).catch((thrown: unknown) => thrown);
      const result: RunResult | null = isRunEndedError(error) ? error.result : null;
      expect(result).toMatchObject({ code: 'invalid_prompt', tool_calls: expect.any(Array) as unknown });
      expect(result?.tool_calls.map(({ output }) => output).join(' ')).toContain(said('output'));
      expect(result?.run.last_error?.message).toContain(said('words'));
      expect((error as Error).message).not.toContain(MARK);
      expect(readable(await heldOf(id))).toEqual([]);
    });

    test('a run that was cancelled gives its result by a query that nobody else can read', async () => {
      const id = drive.id('cancelled');
      drive.play('bot', { attempts: [{ steps: [round, { hang: true }] }] });
      const handle = await drive.runs.start(request, { id });
      await vi.waitFor(async () => expect((await handle.progress()).round).toBe(1), { timeout: 20_000 });
      await handle.cancel();
      const outcome = await handle.outcome();
      expect(outcome.code).toBe('cancelled');
      expect(JSON.stringify(outcome.tool_calls)).toContain(said('arguments'));
      expect(readable({ held: await heldOf(id), query: await rawQuery(id, NAMES.queries.result) })).toEqual(
        [],
      );
    });

    test('a request that the provider refuses in marked words ends the run, and its words cannot be read', async () => {
      const id = drive.id('refused');
      drive.play('bot', {
        attempts: [{ steps: [{ reject: { status: 400, message: `No such thing: '${said('quoted')}'` } }] }],
      });
      const outcome = await (await drive.runs.start(request, { id })).outcome();
      expect(outcome.code).toBe('backend_rejected');
      expect(outcome.run.last_error?.message).toContain(said('quoted'));
      expect(readable(await heldOf(id))).toEqual([]);
    });

    test('the same request attaches to its run, whether or not it left a digest in the memo', async () => {
      drive.play('bot', { attempts: [{ steps: [{ answer: said('answer') }] }] });
      const [mine, theirs] = [drive.id('mine'), drive.id('theirs')];
      await drive.runs.execute(request, { id: mine });
      await drive.client.workflow.start(NAMES.workflow, {
        workflowId: theirs,
        taskQueue: drive.taskQueue,
        args: [request],
      });
      for (const id of [mine, theirs]) {
        const result = await drive.runs.execute(request, { id });
        expect(result.output_text).toBe(said('answer'));
        await expect(drive.runs.start({ ...request, input: 'another' }, { id })).rejects.toThrow('taken');
      }
    });
  },
);
