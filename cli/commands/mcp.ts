import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type { Here } from '../here.ts';
import { mcpServer } from '../mcp/server.ts';

/** `lamp mcp`: serves an AI assistant over stdin and stdout until it hangs up. */
export async function mcp(here: Here, version: string): Promise<void> {
  const server = mcpServer(here.home, await here.connect(), version);
  const closed = new Promise<void>((resolve) => {
    server.server.onclose = resolve;
  });
  process.stdin.once('end', () => void server.close());
  await server.connect(new StdioServerTransport());
  await closed;
}
