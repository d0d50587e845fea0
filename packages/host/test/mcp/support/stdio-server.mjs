/**
 * An MCP server over JSON lines that misbehaves on demand. Arguments: a fault, and a file that gets one line for every
 * start of it.
 */
import { appendFileSync, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [fault = 'none', startsFile = ''] = process.argv.slice(2);
if (startsFile !== '') appendFileSync(startsFile, `${process.pid}\n`);

const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const text = (value) => ({ content: [{ type: 'text', text: value }] });
let hasExtra = false;

if (fault === 'dies-at-start') {
  process.stderr.write('cannot find the \u001b[31mdatabase\u001b[0m\n');
  process.exit(3);
}
if (fault === 'ignores-end') process.on('SIGTERM', () => undefined);
if (fault === 'garbage') process.stdout.write('Listening!\nnot json\n{"jsonrpc":"1.0"}\n');
if (fault === 'floods-lines') setImmediate(() => process.stdout.write('y\n'.repeat(200_000)));
if (fault === 'floods-line') process.stdout.write('x'.repeat(17 * 1024 * 1024));
if (fault === 'floods-errors') process.stderr.write('e'.repeat(2_000_000));

const tools = () => [
  { name: 'echo', description: 'Says it again.', inputSchema: { type: 'object', properties: { a: {} } } },
  { name: 'read only!', inputSchema: {}, annotations: { readOnlyHint: true } },
  { name: 'environment', inputSchema: { type: 'object' } },
  { name: 'die', inputSchema: { type: 'object' } },
  { name: 'hang', inputSchema: { type: 'object' } },
  { name: 'form', inputSchema: { type: 'object' } },
  { name: 'grow', inputSchema: { type: 'object' } },
  { name: 'refuse', inputSchema: { type: 'object' } },
  ...(hasExtra ? [{ name: 'extra', inputSchema: { type: 'object' } }] : []),
];

const waiting = new Map();

function callTool(id, { name, arguments: args }) {
  switch (name) {
    case 'die':
      process.stderr.write('I had enough\n');
      process.exit(7);
      break;
    case 'hang':
      waiting.set(id, 'hang');
      break;
    case 'form':
      waiting.set('form-1', id);
      send({
        id: 'form-1',
        method: 'elicitation/create',
        params: { message: 'Who?', requestedSchema: { type: 'object', properties: { name: { type: 'string' } } } },
      });
      break;
    case 'grow':
      hasExtra = true;
      for (let count = 0; count < 20; count += 1) send({ method: 'notifications/tools/list_changed' });
      send({ id, result: text('grown') });
      break;
    case 'refuse':
      send({ id, error: { code: -32602, message: 'no such   thing' } });
      break;
    case 'environment':
      send({ id, result: { ...text('here'), structuredContent: { ...process.env, cwd: process.cwd() } } });
      break;
    default:
      send({ id, result: text(JSON.stringify(args)) });
  }
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (fault === 'never-answers') return;
    const { id, method, params, result } = JSON.parse(line);
    if (method === 'initialize') {
      const capabilities = { tools: { listChanged: true }, resources: {} };
      send({
        id,
        result: { protocolVersion: params.protocolVersion, capabilities, serverInfo: { name: 'f', version: '1' } },
      });
    } else if (method === 'tools/list') {
      if (fault === 'dies-when-asked') process.exit(9);
      send({ id, result: { tools: tools() } });
    } else if (method === 'tools/call') callTool(id, params);
    else if (method === 'resources/list') {
      const second = params.cursor === 'two';
      const resources = [{ uri: second ? 'r://2' : 'r://1', name: second ? 'two' : 'one' }];
      send({ id, result: { resources, ...(second ? {} : { nextCursor: 'two' }) } });
    } else if (method === 'resources/templates/list') send({ id, result: { resourceTemplates: [] } });
    else if (method === 'resources/read') send({ id, result: { contents: [{ uri: params.uri, text: 'T' }] } });
    else if (method === 'notifications/cancelled' && startsFile !== '')
      appendFileSync(startsFile, `cancelled ${params.requestId}\n`);
    else if (id === 'form-1') send({ id: waiting.get('form-1'), result: text(JSON.stringify(result)) });
  })
  .on('close', () => {
    if (fault !== 'ignores-end' && fault !== 'never-answers') process.exit(0);
    setInterval(() => existsSync('/'), 1000);
  });
