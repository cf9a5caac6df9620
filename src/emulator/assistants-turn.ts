/** How a run on the Assistants wire changes: one turn of its script after the other, to its end. */
import { addRunMessage, makeStep, stepEnd } from './assistants-objects.ts';
import { argumentsText, playTurn } from './engine.ts';
import type { Outcome, Phase, Turn } from './engine.ts';
import { makeId, nowSeconds } from './ids.ts';
import { hasEnded, recordStatus } from './world.ts';
import type { Run, Thread, Wire, World } from './world.ts';

/** Changes the status, and says so in the journal. */
export function change(world: World, run: Run, status: string, fields: Wire = {}): void {
  const from = run.object.status;
  Object.assign(run.object, fields);
  run.object.status = status;
  recordStatus(world, 'assistants', run, from, run.threadId, run.position.attemptIndex);
}

function usageOf(run: Run): Wire {
  const { prompt, completion } = run.used;
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}

const END_TIMES: Readonly<Record<string, string>> = {
  completed: 'completed_at',
  failed: 'failed_at',
  cancelled: 'cancelled_at',
};

function endOpenSteps(run: Run, status: string): void {
  const stepStatus = status === 'completed' || status === 'incomplete' ? 'failed' : status;
  for (const step of run.steps)
    if (step['status'] === 'in_progress') Object.assign(step, stepEnd(stepStatus, nowSeconds()));
}

/** Ends a run: its timers, its open steps and calls, its times and usage. */
export function end(world: World, run: Run, status: string, fields: Wire = {}): void {
  world.timers.clear(run.id);
  world.timers.clear(`${run.id} expiry`);
  endOpenSteps(run, status);
  run.open = [];
  const time = END_TIMES[status];
  change(world, run, status, {
    required_action: null,
    expires_at: null,
    usage: usageOf(run),
    ...(time === undefined ? {} : { [time]: nowSeconds() }),
    ...fields,
  });
}

/** Ends a run whose time is over, should its timer be late. */
export function expireIfDue(world: World, run: Run): void {
  if (hasEnded(run.object.status) || run.immortal || run.object.status === 'cancelling') return;
  if (Date.now() - run.createdMs >= world.expiresAfterMs) end(world, run, 'expired');
}

function waitForOutputs(
  world: World,
  run: Run,
  turn: Turn,
  outcome: Extract<Outcome, { kind: 'calls' }>,
): void {
  run.open = outcome.calls.map((call) => ({
    id: call.id ?? makeId('call', world.quirks),
    name: call.name,
    arguments: argumentsText(call.arguments),
  }));
  const details = run.open.map((call) => ({
    id: call.id,
    type: 'function',
    function: { name: call.name, arguments: call.arguments, output: null },
  }));
  run.steps.push(
    makeStep(world, run, 'tool_calls', { type: 'tool_calls', tool_calls: details }, turnUsage(turn)),
  );
  const calls = run.open.map((call) => ({
    id: call.id,
    type: 'function',
    function: { name: call.name, arguments: call.arguments },
  }));
  change(world, run, 'requires_action', {
    required_action: { type: 'submit_tool_outputs', submit_tool_outputs: { tool_calls: calls } },
  });
}

/** Azure's action for the tools of remote MCP servers; the official description does not have it. */
function waitForApproval(world: World, run: Run, outcome: Extract<Outcome, { kind: 'approvals' }>): void {
  run.open = outcome.approvals.map((approval) => ({
    id: makeId('call', world.quirks),
    name: approval.name,
    arguments: argumentsText(approval.arguments),
  }));
  const calls = outcome.approvals.map((approval, at) => ({
    id: run.open[at]?.id ?? '',
    type: 'mcp',
    name: approval.name,
    arguments: argumentsText(approval.arguments),
    server_label: approval.server_label,
  }));
  change(world, run, 'requires_action', {
    required_action: { type: 'submit_tool_approval', submit_tool_approval: { tool_calls: calls } },
  });
}

function turnUsage(turn: Turn): Wire {
  const { prompt_tokens, completion_tokens } = turn.usage;
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}

function endIncomplete(
  world: World,
  thread: Thread,
  run: Run,
  outcome: Extract<Outcome, { kind: 'incomplete' }>,
): void {
  if (outcome.text !== null) {
    const cut = outcome.reason === 'content_filter' ? 'content_filter' : 'max_tokens';
    addRunMessage(world, thread, run, { kind: 'text', text: outcome.text }, cut, null);
  }
  end(world, run, 'incomplete', { incomplete_details: { reason: outcome.reason } });
}

function finishTurn(world: World, thread: Thread, run: Run, turn: Turn): void {
  const { outcome } = turn;
  run.position = turn.next;
  run.used = {
    prompt: run.used.prompt + turn.usage.prompt_tokens,
    completion: run.used.completion + turn.usage.completion_tokens,
  };
  for (const said of turn.said)
    if (said.kind === 'say') addRunMessage(world, thread, run, { kind: 'text', text: said.text }, null, null);
  switch (outcome.kind) {
    case 'calls':
      return waitForOutputs(world, run, turn, outcome);
    case 'approvals':
      return waitForApproval(world, run, outcome);
    case 'answer':
      addRunMessage(world, thread, run, { kind: 'text', text: outcome.text }, null, turnUsage(turn));
      return end(world, run, 'completed');
    case 'refusal':
      addRunMessage(world, thread, run, { kind: 'refusal', text: outcome.text }, null, turnUsage(turn));
      return end(world, run, 'completed');
    case 'incomplete':
      return endIncomplete(world, thread, run, outcome);
    case 'failed':
      return end(world, run, 'failed', {
        last_error: { code: outcome.code, message: outcome.message },
      });
    case 'expired':
      return end(world, run, 'expired');
    case 'cancelled':
      return end(world, run, 'cancelled');
    case 'vanished':
      end(world, run, 'failed');
      thread.runs.splice(thread.runs.indexOf(run), 1);
      return;
    case 'hang':
      run.immortal = true;
      return outcome.status === null ? undefined : change(world, run, outcome.status);
    default:
      return outcome satisfies never;
  }
}

function playPhases(world: World, run: Run, phases: readonly Phase[], then: () => void): void {
  const [phase, ...rest] = phases;
  if (phase === undefined) {
    then();
    return;
  }
  change(world, run, phase.status ?? 'in_progress');
  world.timers.set(run.id, phase.ms, () => playPhases(world, run, rest, then));
}

function work(world: World, thread: Thread, run: Run): void {
  change(world, run, 'in_progress', { started_at: run.object['started_at'] ?? nowSeconds() });
  const turn = playTurn(run.position, run.budget);
  playPhases(world, run, turn.phases, () => {
    if (run.object.status !== 'in_progress' && turn.outcome.kind !== 'hang')
      change(world, run, 'in_progress');
    finishTurn(world, thread, run, turn);
  });
}

/** Queued, and in progress after a moment. */
export function enqueue(world: World, thread: Thread, run: Run): void {
  if (world.quirks.has('never_queued')) {
    work(world, thread, run);
    return;
  }
  change(world, run, 'queued');
  world.timers.set(run.id, world.pace.queuedMs, () => work(world, thread, run));
}
