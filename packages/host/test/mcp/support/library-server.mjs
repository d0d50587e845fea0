/** A server written with the protocol's own library. */
import { McpServer } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';

const server = new McpServer({ name: 'library', version: '1' }, { capabilities: { logging: {} } });
server.registerTool('ask', { description: 'Asks.', annotations: { readOnlyHint: true } }, async (context) => {
  const answer = await context.mcpReq.elicitInput({
    message: 'Colour?',
    requestedSchema: { type: 'object', properties: { colour: { type: 'string' } } },
  });
  server.registerTool('later', { description: 'Came later.' }, () => ({ content: [] }));
  return { content: [{ type: 'text', text: JSON.stringify(answer) }] };
});
server.registerTool('fail', {}, () => {
  throw new Error('broken inside');
});
server.registerResource('note', 'note://1', { description: 'A note.' }, () => ({
  contents: [{ uri: 'note://1', text: 'hello' }],
}));
await server.connect(new StdioServerTransport());
