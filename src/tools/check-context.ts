/** Whether a run's trusted context fits its tools: asked before anything is created. */
import type { Issue } from '../contract.ts';
import type { Json } from '../run.ts';
import type { ToolRegistry } from './registry.ts';

/** What is wrong with the context, for each of the named tools. Names nobody registered are passed over. */
export async function checkContext(
  registry: ToolRegistry,
  names: Iterable<string>,
  context: Json,
): Promise<readonly Issue[]> {
  const issues: Issue[] = [];
  for (const name of names) {
    const schema = registry.get(name)?.context;
    if (schema === undefined) continue;
    const parsed = await schema.safeParseAsync(context);
    for (const issue of parsed.error?.issues ?? []) {
      const field = ['context', ...issue.path.map(String)].join('.');
      issues.push({ field, message: `${issue.message} (wanted by the tool ${name})` });
    }
  }
  return issues;
}
