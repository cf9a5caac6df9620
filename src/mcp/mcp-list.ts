/** What an MCP server says that it has. */
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { ListToolsResultSchema, type ListToolsResult } from '@modelcontextprotocol/sdk/types.js';

export type Listed = ListToolsResult['tools'][number];

/** Servers also say by an empty cursor that there is no more, or give one again and again: each page is asked for once. */
export async function listTools(client: Client): Promise<readonly Listed[]> {
  const tools = new Map<string, Listed>();
  const asked = new Set<string>();
  for (let cursor = ''; ;) {
    const request = { method: 'tools/list', params: cursor === '' ? {} : { cursor } } as const;
    // Not by `listTools` of the client, which refuses a list for a schema of outputs that it cannot read.
    const page = await client.request(request, ListToolsResultSchema);
    for (const tool of page.tools) if (!tools.has(tool.name)) tools.set(tool.name, tool);
    asked.add(cursor);
    cursor = page.nextCursor ?? '';
    if (asked.has(cursor)) return [...tools.values()];
  }
}
