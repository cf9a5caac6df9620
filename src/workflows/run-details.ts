/** What Temporal UI shows of a run while it works: Markdown without prompt, arguments or outputs. Pure. */
import { DEFAULTS, LIMITS } from '../contract.ts';
import type { WaitingCall } from '../decisions.ts';
import { totalUsage, type DriveState } from './drive-state.ts';

const code = (text: string | null): string =>
  text === null ? '–' : `\`${text.replaceAll(/[`\r\n]/g, ' ')}\``;

/** Call names with how often each is pending, such as `get_weather ×2`. */
function pendingNames(state: DriveState): string {
  const counts = new Map<string, number>();
  for (const call of state.calls) {
    if (call.status === 'pending') counts.set(call.name, (counts.get(call.name) ?? 0) + 1);
  }
  const names = [...counts]
    .slice(0, 8)
    .map(([name, count]) => code(name.slice(0, 64)) + (count > 1 ? ` ×${count}` : ''));
  return names.length > 0 ? names.join(', ') + (counts.size > 8 ? ', …' : '') : '–';
}

/** Enough of a digest to tell one call's arguments from another's. */
const SHOWN_DIGEST_CHARS = 16;
const SHOWN_WAITING = 8;

const COMMANDS = {
  approval: 'approve',
  mcp_approval: 'approve',
  external: 'answer',
  unknown_outcome: 'settle',
} as const;
const WAITS = {
  approval: 'Waits for approval',
  mcp_approval: 'Waits for approval of an MCP call',
  external: 'Waits for its output',
  unknown_outcome: 'Outcome unknown',
} as const;

/** Ids that a shell could take for something else are quoted. */
const shellWord = (text: string): string =>
  /^[\w.:@/-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;

function waitingLines({ runId, calls }: PeopleShown): readonly string[] {
  const lines = calls.slice(0, SHOWN_WAITING).map(({ kind, name, tool_call_id, arguments_digest }) => {
    const digest = arguments_digest.slice(0, SHOWN_DIGEST_CHARS);
    const words = [COMMANDS[kind], shellWord(runId), shellWord(tool_call_id), '--digest', digest];
    return `- **${WAITS[kind]}**: ${code(name)}, arguments ${code(digest)}: ${code(`drover ${words.join(' ')}`)}`;
  });
  const rest = calls.length - lines.length;
  return rest > 0 ? [...lines, `- and ${rest} more: ${code(`drover waiting ${shellWord(runId)}`)}`] : lines;
}

export interface PeopleShown {
  readonly runId: string;
  readonly calls: readonly WaitingCall[];
}

export function currentDetails(state: DriveState, phase: string, people: PeopleShown): string {
  const attempt = state.attempts.at(-1);
  const usage = totalUsage(state);
  const lines = [
    `**${phase}**`,
    '',
    `- **Attempt**: ${state.number} of ${(state.number_base ?? 0) + (state.retry.attempts ?? DEFAULTS.attempts)}, ${code(attempt?.id ?? null)}`,
    `- **Thread**: ${code(state.thread_id)}`,
    `- **Backend**: ${code(state.backend)}`,
    `- **Round**: ${state.rounds}`,
    `- **Pending calls**: ${pendingNames(state)}`,
    `- **Tokens**: ${usage.total_tokens} (${usage.prompt_tokens} in, ${usage.completion_tokens} out)`,
  ];
  for (const ended of state.attempts.filter(({ reason }) => reason !== null)) {
    lines.push(`- **Attempt ${ended.number} ended**: ${ended.reason}, ${code(ended.id)}`);
  }
  lines.push(...waitingLines(people));
  for (const warning of state.warnings) lines.push(`- **Warning**: ${warning.code}`);
  return lines.join('\n');
}

/** A search attribute's value: the server terminates a workflow for one that is too long. */
export function searchable(value: string | null): string {
  return (value ?? '').slice(0, LIMITS.searchAttributeChars);
}
