/**
 * What Temporal UI shows of a run before it has begun: names and counts, never prompt text. Pure, and lenient:
 * a workflow describes requests that nobody has checked.
 */
import type { RunRequest } from './contract.ts';
import type { JsonObject } from './run.ts';
import { functionName } from './request-tools.ts';

/** The server cuts a summary at 200 bytes. */
const SUMMARY_CHARS = 80;
const NAME_CHARS = 80;
const SHOWN_TOOLS = 16;

function plain(name: unknown, length: number): string {
  const text = String(name);
  return text.length > length ? `${text.slice(0, length - 1).toWellFormed()}…` : text;
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const sizeOf = (list: unknown): number => (Array.isArray(list) ? list.length : 0);

function messageCount({ input, additional_messages: more }: RunRequest): number {
  return (typeof input === 'string' ? 1 : sizeOf(input)) + sizeOf(more);
}

/** One line for the list of workflows. */
export function staticSummary(request: RunRequest): string {
  return plain(
    [
      plain(request.assistant_id, 40),
      ...(typeof request.thread_id === 'string' ? ['goes on'] : []),
      counted(messageCount(request), 'message'),
      ...(Array.isArray(request.tools) ? [counted(request.tools.length, 'tool')] : []),
    ].join(' · '),
    SUMMARY_CHARS,
  );
}

/** A name as Markdown code that cannot leave its ticks. */
const code = (name: unknown): string => `\`${plain(name, NAME_CHARS).replaceAll(/[`\r\n]/g, ' ')}\``;

/** A list for the run's page: Temporal UI sets Markdown tables without any space between their columns. */
export function staticDetails(request: RunRequest): string {
  const tools = Array.isArray(request.tools)
    ? request.tools.map((tool: string | JsonObject) => functionName(tool) ?? 'of the provider')
    : null;
  const rows: readonly (readonly [string, string | null | undefined])[] = [
    ['Assistant', code(request.assistant_id)],
    ['Backend', request.backend === undefined ? null : code(request.backend)],
    ['Thread', typeof request.thread_id === 'string' ? code(request.thread_id) : 'a new one'],
    ['Model', typeof request.model === 'string' ? code(request.model) : null],
    ['Messages', String(messageCount(request))],
    ['Tools', tools === null ? null : listed(tools)],
    ['Attempts', request.retry?.attempts?.toString()],
    [
      'Deadline',
      request.limits?.deadline_seconds === undefined ? null : `${request.limits.deadline_seconds} s`,
    ],
  ];
  const lines = rows.flatMap(([name, value]) =>
    value === null || value === undefined ? [] : [`- **${name}**: ${value}`],
  );
  return lines.join('\n');
}

function listed(tools: readonly string[]): string {
  if (tools.length === 0) return 'none';
  const shown = tools.slice(0, SHOWN_TOOLS).map(code).join(', ');
  return tools.length > SHOWN_TOOLS ? `${shown} and ${tools.length - SHOWN_TOOLS} more` : shown;
}
