/** Prints runs and their results. */
import type { RunDescription, RunListing } from '../client.ts';
import type { RunResult, ToolCallResult } from '../contract.ts';
import type { JsonObject } from '../run.ts';
import { duration, facts, printable, table } from './output.ts';
import type { Output, Tone } from './output.ts';

const TONES: Readonly<Record<string, Tone>> = {
  completed: 'good',
  requires_action: 'warn',
  incomplete: 'warn',
  expired: 'warn',
  cancelled: 'quiet',
  failed: 'bad',
};

const toneOf = (status: string): Tone => TONES[status] ?? 'strong';

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

function spent({ run }: RunResult): string | null {
  const end = run.completed_at ?? run.failed_at ?? run.cancelled_at;
  return end === null || run.created_at === null ? null : duration((end - run.created_at) * 1_000);
}

/** One line about a run that has ended. */
export function summaryLine(result: RunResult): string {
  return [
    result.run.status,
    counted(result.attempts.length, 'attempt'),
    counted(result.tool_calls.length, 'tool call'),
    counted(result.usage.total_tokens, 'token'),
    ...(spent(result) === null ? [] : [spent(result)]),
  ].join(' · ');
}

/** The answer on standard output, how it came about on standard error. */
export function printAnswer(id: string, result: RunResult, output: Output): void {
  const said = result.refusal ?? result.output_text;
  if (said !== '') output.out(printable(said));
  output.note(`${output.noteTone(toneOf(result.run.status), id)} ${printable(summaryLine(result))}`);
  for (const { code, message } of result.warnings) {
    output.note(`${output.noteTone('warn', code)} ${printable(message)}`);
  }
}

function callState(call: ToolCallResult): string {
  const marks = [call.reused ? 'reused' : '', call.divergent ? 'divergent' : ''].filter(
    (mark) => mark !== '',
  );
  return [call.status, ...marks].join(', ');
}

/** Everything there is to see of an ended run, except its prompt, arguments and outputs. */
export function printResult(result: RunResult, output: Output): void {
  output.out(
    facts([
      ['Ended', result.code ?? 'completed'],
      ['Message', result.message],
      [
        'Tokens',
        `${result.usage.total_tokens} (${result.usage.prompt_tokens} in, ${result.usage.completion_tokens} out)`,
      ],
      ['Cost', result.cost ?? null],
      ['Warnings', result.warnings.map(({ code }) => code).join(', ')],
    ]),
  );
  if (result.attempts.length > 0) {
    output.out('');
    output.out(
      table(
        ['ATTEMPT', 'ID', 'STATUS', 'ENDED BY', 'TOKENS'],
        result.attempts.map((attempt) => [
          String(attempt.number),
          attempt.id ?? '–',
          attempt.status,
          [attempt.reason ?? '–', attempt.raw_code].filter((part) => part !== null).join(' / '),
          String(attempt.usage?.total_tokens ?? '–'),
        ]),
      ),
    );
  }
  if (result.tool_calls.length > 0) {
    output.out('');
    output.out(
      table(
        ['TOOL', 'CALL', 'ATTEMPT', 'STATE', 'TIME'],
        result.tool_calls.map((call) => [
          call.name,
          call.id,
          String(call.attempt),
          callState(call),
          call.duration_ms === null ? '–' : duration(call.duration_ms),
        ]),
      ),
    );
  }
  const said = result.refusal ?? result.output_text;
  if (said !== '') output.out(`\n${printable(said)}`);
}

export function printDescription(run: RunDescription, output: Output): void {
  const { progress } = run;
  const status = progress?.status ?? run.workflowStatus.toLowerCase();
  output.out(
    `${output.tone('strong', printable(run.id))}  ${output.tone(toneOf(status), printable(status))}`,
  );
  output.out(
    facts([
      ['Workflow', `${run.workflowStatus.toLowerCase()}, execution ${run.workflowRunId}`],
      ['Task queue', run.taskQueue],
      ['Started', run.startTime.toISOString()],
      ['Closed', run.closeTime?.toISOString()],
      ['Took', duration((run.closeTime?.getTime() ?? Date.now()) - run.startTime.getTime())],
      ['Events', run.historyLength],
      ['Attempt', progress?.attempt_id ?? null],
      ['Thread', progress?.thread_id ?? null],
      ['Round', progress?.round],
      ['Pending calls', progress?.pending_calls.map(({ name }) => name).join(', ')],
      [
        'Waits for people',
        progress?.waiting_calls
          .map(({ name, kind, tool_call_id }) => `${name} (${kind}, ${tool_call_id})`)
          .join(', '),
      ],
      ['Deadline', progress === null ? null : new Date(progress.deadline_at * 1_000).toISOString()],
      ['Progress', progress === null ? 'no worker answered' : null],
    ]),
  );
}

/** snake_case, as everything that is serialised. */
export function describeAsJson(run: RunDescription, result: RunResult | null): object {
  return {
    id: run.id,
    workflow_run_id: run.workflowRunId,
    workflow_status: run.workflowStatus,
    task_queue: run.taskQueue,
    start_time: run.startTime.toISOString(),
    close_time: run.closeTime?.toISOString() ?? null,
    history_length: run.historyLength,
    progress: run.progress,
    result,
  };
}

export function listingAsJson(run: RunListing): JsonObject {
  return {
    id: run.id,
    workflow_run_id: run.workflowRunId,
    workflow_status: run.workflowStatus,
    start_time: run.startTime.toISOString(),
    close_time: run.closeTime?.toISOString() ?? null,
    status: run.status,
    assistant_id: run.assistantId,
    backend: run.backend,
    thread_id: run.threadId,
    attempt_id: run.attemptId,
  };
}

export function printListing(runs: readonly RunListing[], output: Output): void {
  output.out(
    table(
      ['ID', 'STATUS', 'ASSISTANT', 'BACKEND', 'STARTED', 'TOOK'],
      runs.map((run) => {
        const end = run.closeTime?.getTime() ?? Date.now();
        return [
          run.id,
          run.status ?? run.workflowStatus.toLowerCase(),
          run.assistantId ?? '–',
          run.backend ?? '–',
          run.startTime.toISOString().slice(0, 19).replace('T', ' '),
          duration(end - run.startTime.getTime()),
        ];
      }),
    ),
  );
}
