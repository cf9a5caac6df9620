/** What Temporal UI shows of a run while it works: Markdown without prompt, arguments or outputs. Pure. */
import { DEFAULTS, LIMITS } from '../contract.ts';
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

export function currentDetails(
  state: DriveState,
  phase: string,
  unsettled: ReadonlyMap<string, string>,
): string {
  const attempt = state.attempts.at(-1);
  const usage = totalUsage(state);
  const lines = [
    `**${phase}**`,
    '',
    `- **Attempt**: ${state.number} of ${state.retry.attempts ?? DEFAULTS.attempts}, ${code(attempt?.id ?? null)}`,
    `- **Thread**: ${code(state.thread_id)}`,
    `- **Backend**: ${code(state.backend)}`,
    `- **Round**: ${state.rounds}`,
    `- **Pending calls**: ${pendingNames(state)}`,
    `- **Tokens**: ${usage.total_tokens} (${usage.prompt_tokens} in, ${usage.completion_tokens} out)`,
  ];
  for (const ended of state.attempts.filter(({ reason }) => reason !== null)) {
    lines.push(`- **Attempt ${ended.number} ended**: ${ended.reason}, ${code(ended.id)}`);
  }
  for (const [key, name] of unsettled) {
    lines.push(`- **Outcome unknown**: ${code(name)}; settle ${code(key)} by the Update \`settleEffect\``);
  }
  for (const warning of state.warnings) lines.push(`- **Warning**: ${warning.code}`);
  return lines.join('\n');
}

/** A search attribute's value: the server terminates a workflow for one that is too long. */
export function searchable(value: string | null): string {
  return (value ?? '').slice(0, LIMITS.searchAttributeChars);
}
