/** What watchers are told of runs whose histories were recorded. */
import type { Client } from '@temporalio/client';
import { loadDataConverter } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { describe, expect, test } from 'vitest';
import { EventReader, type Told } from '../../src/client-events.ts';
import { HistoryReader } from '../../src/client-history.ts';
import { readHistory, recordedNames } from '../replay/history-file.ts';

/** Temporal's client, as far as a recorded history can be one. */
function clientOf(name: string): Client {
  const history = historyFromJSON(readHistory(name).history);
  const getWorkflowExecutionHistory = () => Promise.resolve({ history, nextPageToken: new Uint8Array() });
  const options = { namespace: 'default', loadedDataConverter: loadDataConverter() };
  return { workflowService: { getWorkflowExecutionHistory }, options } as unknown as Client;
}

async function told(...names: readonly string[]): Promise<readonly Told[]> {
  const events = new EventReader();
  const all: Told[] = [];
  for (const name of names) {
    const { recorded } = await new HistoryReader(clientOf(name), 'run', 'execution').read(null, {
      waits: true,
    });
    for (const one of recorded) all.push(...events.read(one).filter((event) => event !== null));
  }
  return all;
}

const typesOf = (all: readonly Told[]): readonly string[] => all.map(({ type }) => type);

describe('a watcher is told', () => {
  test('of a call that needed approval, from its beginning to its end', async () => {
    const all = await told('approved.assistants');
    expect(typesOf(all)).toEqual([
      'started',
      'attempt_created',
      'status_changed',
      'people_awaited',
      'call_decided',
      'people_answered',
      'tool_started',
      'tool_finished',
      'outputs_submitted',
      'status_changed',
      'attempt_ended',
      'ended',
    ]);
    expect(all[1]).toMatchObject({ attempt: 1, attempt_id: expect.stringMatching(/^run_/), adopted: false });
    expect(all[3]).toEqual({ type: 'people_awaited', kind: 'approval' });
    expect(all[4]).toMatchObject({
      outcome: 'approve',
      by: 'maria',
      key: expect.stringContaining('send_gift'),
    });
    expect(all[7]).toMatchObject({ name: 'send_gift', attempt: 1, outcome: 'completed' });
    expect(all.at(-1)).toEqual({ type: 'ended', workflow_status: 'COMPLETED', code: null });
  });

  test('why an attempt was lost, and of the one that followed', async () => {
    const all = await told('expired-during-effect.assistants');
    const ends = all.filter(({ type }) => type === 'attempt_ended');
    expect(ends).toMatchObject([
      { attempt: 1, reason: 'expired', status: 'expired' },
      { attempt: 2, reason: 'completed' },
    ]);
    expect(all.filter(({ type }) => type === 'attempt_created')).toMatchObject([
      { attempt: 1 },
      { attempt: 2 },
    ]);
    expect(await told('attempt-gone.responses')).toContainEqual(
      expect.objectContaining({ type: 'attempt_ended', reason: 'gone' }),
    );
  });

  test('of a cancel, and how the run ended by it', async () => {
    const all = await told('cancelled-while-waiting.assistants');
    expect(typesOf(all)).toContain('cancel_requested');
    expect(all.at(-1)).toEqual({ type: 'ended', workflow_status: 'CANCELLED', code: 'cancelled' });
  });

  test('of an effect that nobody knows of, and of a failure by its code', async () => {
    const all = await told('effect-unknown.assistants');
    expect(all).toContainEqual(expect.objectContaining({ type: 'tool_finished', outcome: 'failed' }));
    expect(all.at(-1)).toEqual({ type: 'ended', workflow_status: 'FAILED', code: 'effect_unknown' });
  });

  test('of a turn that it waited for', async () => {
    expect(typesOf(await told('turn-waited-for.assistants')).slice(0, 4)).toEqual([
      'started',
      'turn_awaited',
      'turn_given',
      'attempt_created',
    ]);
  });

  test('of the attempt that goes on where a run was continued as new', async () => {
    const names = ['', '.2', '.3'].map((part) => `continued-as-new.assistants${part}`);
    const all = await told(...names);
    expect(all.filter(({ type }) => type === 'attempt_created')).toHaveLength(1);
    expect(all.at(-1)).toMatchObject({ type: 'ended', code: null });
    expect(all.findLast(({ type }) => type === 'attempt_ended')).toMatchObject({
      attempt: 1,
      reason: 'completed',
    });
  });

  test('no prompt, argument or output, whatever the run', async () => {
    for (const name of recordedNames()) {
      const text = JSON.stringify(await told(name));
      expect(text).not.toMatch(/"(?:arguments|output|input|instructions|content|text)":/);
    }
  });

  test('a status that a worker saw, once', async () => {
    const events = new EventReader();
    expect(events.seen('in_progress')).toBeNull();
    const { recorded } = await new HistoryReader(clientOf('plain-answer.responses'), 'run', 'execution').read(
      null,
      { waits: true },
    );
    const before = recorded.findIndex(({ fact }) => fact.kind === 'stepped');
    for (const one of recorded.slice(0, before + 1)) events.read(one);
    expect(events.seen('in_progress')).toMatchObject({ type: 'status_changed', status: 'in_progress' });
    expect(events.seen('in_progress')).toBeNull();
  });

  test('what the model says, each character once, whatever is shown how often', async () => {
    const events = new EventReader();
    expect(events.heard({ id: 'resp', from: 0, text: 'Hel' })).toBeNull();
    const { recorded } = await new HistoryReader(clientOf('plain-answer.responses'), 'run', 'execution').read(
      null,
      { waits: true },
    );
    const before = recorded.findIndex(({ fact }) => fact.kind === 'stepped');
    for (const one of recorded.slice(0, before + 1)) events.read(one);
    const id = events.current?.attempt_id ?? '';
    const heard = (from: number, text: string) => events.heard({ id, from, text });
    expect(heard(0, 'Hel')).toMatchObject({ type: 'text_delta', from: 0, text: 'Hel' });
    expect(heard(0, 'Hel')).toBeNull();
    expect(heard(0, 'He')).toBeNull();
    expect(heard(0, 'Hello')).toMatchObject({ from: 3, text: 'lo' });
    expect(heard(3, 'lo wor')).toMatchObject({ from: 5, text: ' wor' });
    expect(events.heard({ id: 'resp_other', from: 0, text: 'Other' })).toBeNull();
    // More was said than a heartbeat holds: a gap, and no guess.
    expect(heard(20, 'end')).toMatchObject({ from: 20, text: 'end' });
    const copy = events.clone();
    expect(copy.heard({ id, from: 20, text: 'end' })).toBeNull();
    copy.resume(21);
    expect(copy.heard({ id, from: 20, text: 'end' })).toMatchObject({ from: 21, text: 'nd' });
  });
});
