import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { connect } from '../client.ts';
import type { Home } from '../home.ts';
import { mcpServer } from '../mcp/server.ts';

/** `lamp mcp`: serves an AI assistant over stdin and stdout until it hangs up. */
export async function mcp(home: Home, version: string, app: string | undefined): Promise<void> {
  const server = mcpServer(home, await connect(home, app), version);
  const closed = new Promise<void>((resolve) => {
    server.server.onclose = resolve;
  });
  process.stdin.once('end', () => void server.close());
  await server.connect(new StdioServerTransport());
  await closed;
}
