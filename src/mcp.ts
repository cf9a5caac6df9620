/** The door for tools of MCP servers. Needs the package `@modelcontextprotocol/sdk`. */
export { mcpTools } from './mcp/mcp-tools.ts';
export type { McpTools } from './mcp/mcp-tools.ts';
export type { McpCommand, McpToolsOptions, McpTraits, McpUrl, NamePattern } from './mcp/mcp-options.ts';
