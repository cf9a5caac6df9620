import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunHandle } from '../../src/client.ts';
import { NAMES } from '../../src/contract.ts';
import type { RunRequest } from '../../src/contract.ts';
import {
  InvalidRequestError,
  isRunEndedError,
  RunConflictError,
  RunEndedError,
  RunLostError,
  RunNotFoundError,
} from '../../src/errors.ts';
import { startDrive } from '../support/drive-harness.ts';
import { resetRun } from '../support/reset-run.ts';
import type { Drive } from '../support/drive-harness.ts';

const MARK = 'marked-prompt-4711';

let drive: Drive;
beforeAll(async () => {
  drive = await startDrive('assistants');
});
afterAll(() => drive[Symbol.asyncDispose]());

const answer = { attempts: [{ steps: [{ answer: 'Delivered.' }] }] };
const hang = { attempts: [{ steps: [{ hang: true as const }] }] };
const request = { assistant_id: 'bot', input: MARK } as const satisfies RunRequest;

/** Starts a run whose model says nothing, and waits until it is at it. */
async function startHanging(label: string): Promise<RunHandle> {
  drive.play('bot', hang);
  const id = drive.id(label);
  const run = await drive.runs.start({ ...request, metadata: { label: id } }, { id });
  await expect.poll(async () => (await run.progress()).attempt_id, { timeout: 20_000 }).not.toBeNull();
  return run;
}

const workflowType = async (id: string): Promise<string> =>
  (await drive.client.workflow.getHandle(id).describe()).type;

describe('a run', () => {
  it('is started, waited for, and gives its result', async () => {
    drive.play('bot', answer);
    const id = drive.id('plain');
    const run = await drive.runs.start(request, { id });
    const result = await run.result();
    expect(result).toMatchObject({ code: null, output_text: 'Delivered.', run: { id, status: 'completed' } });
    expect(await run.outcome()).toEqual(result);
    expect(await run.describe()).toMatchObject({
      id,
      workflowStatus: 'COMPLETED',
      taskQueue: drive.taskQueue,
      progress: { status: 'completed', ended: true },
    });
  });

  it('has a summary and details for Temporal UI, without prompt text', async () => {
    drive.play('bot', answer);
    const id = drive.id('summary');
    await drive.runs.execute({ ...request, metadata: { ticket: 'secret-ticket' } }, { id });
    const info = await drive.client.workflow.getHandle(id).describe();
    const [summary, details] = [await info.staticSummary(), await info.staticDetails()];
    expect(summary).toBe('bot · 1 message');
    expect(details).toContain('- **Assistant**: `bot`');
    expect(`${summary}${details}${JSON.stringify(info.memo)}`).not.toMatch(/4711|secret-ticket/);
  });

  it('has an id of its own where none is given', async () => {
    drive.play('bot', answer);
    const [one, two] = await Promise.all([drive.runs.start(request), drive.runs.start(request)]);
    expect(one.id).not.toBe(two.id);
    await Promise.all([one.result(), two.result()]);
  });

  it('with mistakes creates nothing, and names id and request together', async () => {
    const id = 'x'.repeat(600);
    const start = drive.runs.start({ ...request, temperature: 3 }, { id });
    await expect(start).rejects.toBeInstanceOf(InvalidRequestError);
    await expect(start).rejects.toMatchObject({ issues: [{ field: 'id' }, { field: 'temperature' }] });
    const fine = drive.id('mistaken');
    await expect(drive.runs.start({ assistant_id: '', input: 'x' }, { id: fine })).rejects.toThrow(
      'one mistake',
    );
    await expect(drive.runs.getHandle(fine).describe()).rejects.toBeInstanceOf(RunNotFoundError);
  });
});

describe('the same id', () => {
  it('with the same request attaches, while the run goes on and after it has closed', async () => {
    drive.play('bot', { attempts: [{ steps: [{ think_ms: 300 }, { answer: 'Once.' }] }] });
    const id = drive.id('again');
    const [first, second] = await Promise.all([
      drive.runs.start({ ...request, model: null }, { id }),
      drive.runs.start({ input: MARK, assistant_id: 'bot' }, { id }),
    ]);
    const results = await Promise.all([first.result(), second.result()]);
    const late = await drive.runs.execute(request, { id });
    expect(new Set([...results, late].map(({ attempts }) => attempts[0]?.id)).size).toBe(1);
    expect(late.output_text).toBe('Once.');
  });

  it('with another request is refused', async () => {
    drive.play('bot', answer);
    const id = drive.id('conflict');
    await drive.runs.execute(request, { id });
    const other = drive.runs.start({ ...request, temperature: 1 }, { id });
    await expect(other).rejects.toBeInstanceOf(RunConflictError);
    await expect(other).rejects.toThrow(id);
    await expect(other).rejects.not.toThrow(MARK);
  });

  it('of a workflow that is no run is refused', async () => {
    const id = drive.id('foreign');
    const foreign = await drive.client.workflow.start('somethingElse', {
      workflowId: id,
      taskQueue: 'nobody',
    });
    await expect(drive.runs.start(request, { id })).rejects.toThrow('a workflow that is no run');
    await foreign.terminate();
  });

  it('of a run that another language started, without a memo, is told by its input', async () => {
    drive.play('bot', answer);
    const id = drive.id('python');
    const options = { workflowId: id, taskQueue: drive.taskQueue, args: [{ ...request, context: null }] };
    await drive.client.workflow.start(NAMES.workflow, options);
    const run = await drive.runs.start(request, { id });
    expect((await run.result()).output_text).toBe('Delivered.');
    await expect(drive.runs.start({ ...request, input: 'other' }, { id })).rejects.toBeInstanceOf(
      RunConflictError,
    );
  });
});

describe('a run that did not complete', () => {
  const truncated = { attempts: [{ steps: [{ incomplete: 'max_completion_tokens' as const }] }] };
  const once = { ...request, retry: { max_completion_tokens: 'end' } } as const satisfies RunRequest;

  it('rejects with its code and its result, and outcome gives the same result', async () => {
    drive.play('bot', truncated);
    const run = await drive.runs.start(once, { id: drive.id('ended') });
    const error: unknown = await run.result().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RunEndedError);
    expect(isRunEndedError(error) && error.code).toBe('token_budget');
    expect(isRunEndedError(error) && error.result).toEqual(await run.outcome());
    expect(String(error)).not.toContain(MARK);
    expect((await run.describe()).workflowStatus).toBe('FAILED');
  });

  it('rejects too where its workflow was told to return', async () => {
    drive.play('bot', truncated);
    const run = await drive.runs.start({ ...once, on_unfinished: 'return' }, { id: drive.id('returned') });
    await expect(run.result()).rejects.toMatchObject({ name: 'RunEndedError', code: 'token_budget' });
    expect((await run.describe()).workflowStatus).toBe('COMPLETED');
  });
});

describe('cancelling', () => {
  it('says why in the history, and the run still gives its result', async () => {
    const run = await startHanging('cancelled');
    await run.cancel({ reason: 'the customer hung up' });
    const result = await run.outcome();
    expect(result).toMatchObject({ code: 'cancelled', run: { status: 'cancelled' } });
    await expect(run.result()).rejects.toMatchObject({ code: 'cancelled' });
    const { events } = await run.workflow.fetchHistory();
    const causes = events?.flatMap(
      (event) => event.workflowExecutionCancelRequestedEventAttributes?.cause ?? [],
    );
    expect(causes).toEqual(['the customer hung up']);
  });

  it('a run that has closed leaves it as it is, with or without a reason', async () => {
    drive.play('bot', answer);
    const run = await drive.runs.start(request, { id: drive.id('closed') });
    await run.result();
    await run.cancel();
    await run.cancel({ reason: 'too late' });
    expect((await run.result()).code).toBeNull();
  });

  it('a run that there is not says so, as everything else does', async () => {
    const run = drive.runs.getHandle(drive.id('nobody'));
    const uses = [
      () => run.cancel(),
      () => run.cancel({ reason: 'x' }),
      () => run.describe(),
      () => run.progress(),
      () => run.result(),
      () => run.outcome(),
    ];
    for (const use of uses) await expect(use()).rejects.toBeInstanceOf(RunNotFoundError);
  });
});

describe('a run that was ended from outside', () => {
  it('has no result when it was terminated', async () => {
    const run = await startHanging('terminated');
    await run.workflow.terminate('test');
    const outcome = run.outcome();
    await expect(outcome).rejects.toBeInstanceOf(RunLostError);
    await expect(outcome).rejects.toMatchObject({ code: 'terminated', runId: run.id });
    await expect(run.result()).rejects.toMatchObject({ code: 'terminated' });
  });

  it('is followed through a reset to the execution that took its place', async () => {
    const run = await startHanging('reset');
    const outcome = run.outcome();
    await resetRun(drive.client, run);
    await run.cancel();
    expect((await outcome).code).toBe('cancelled');
  });

  it('has no result when its workflow gave something else', async () => {
    const id = drive.id('odd');
    await drive.client.workflow.start(NAMES.workflow, {
      workflowId: id,
      taskQueue: 'nobody',
      args: [request],
      workflowExecutionTimeout: '1 second',
    });
    await expect(drive.runs.getHandle(id).result()).rejects.toMatchObject({
      name: 'RunLostError',
      code: 'timed_out',
    });
  });
});

it('lists runs, with what the search attributes say of them, and nothing else', async () => {
  drive.play('bot', answer);
  const id = drive.id('listed');
  const result = await drive.runs.execute(request, { id });
  await expect
    .poll(
      async () => {
        const found = [];
        for await (const run of drive.runs.list(`WorkflowId = '${id}' OR WorkflowId = 'x'`)) found.push(run);
        return found;
      },
      { timeout: 20_000 },
    )
    .toMatchObject([
      {
        id,
        workflowStatus: 'COMPLETED',
        status: 'completed',
        assistantId: 'bot',
        backend: 'assistants',
        attemptId: result.attempts[0]?.id,
      },
    ]);
  expect(await workflowType(id)).toBe(NAMES.workflow);
});
