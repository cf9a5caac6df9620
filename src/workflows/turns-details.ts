/** What Temporal UI shows of a thread's queue. Pure. */
import type { TurnsState } from '../turns.ts';

const SHOWN = 20;
const code = (text: string): string => `\`${text.replaceAll(/[`\r\n]/g, ' ')}\``;

export function turnsDetails(threadId: string, { holder, queue }: TurnsState): string {
  const lines = queue
    .slice(0, SHOWN)
    .map(({ run_id, policy }, index) => `${index + 1}. ${code(run_id)}, ${policy}`);
  const rest = queue.length - lines.length;
  return [
    `- **Thread**: ${code(threadId)}`,
    `- **Its turn**: ${holder === null ? 'nobody' : code(holder.run_id)}`,
    `- **Waiting**: ${queue.length}`,
    '',
    ...lines,
    ...(rest > 0 ? [`and ${rest} more`] : []),
  ].join('\n');
}
