/**
 * A program that embeds the runtime: one turn, its events as JSON lines. Its only argument is what to do, as JSON:
 * `EmbeddingOrder`.
 */
import { Quire, type ThreadOptions } from '@quire/agent';
import type { EmbeddingOrder } from './run-embedded.ts';

const order = JSON.parse(process.argv[2] ?? '') as EmbeddingOrder;
const { home, workingDirectory, sandboxMode, configOverrides } = order;
const options: ThreadOptions = { workingDirectory, sandboxMode, person: { approve: () => ({ kind: 'approved' }) } };
const thread = await new Quire({ home, configOverrides }).startThread(options);
const print = (line: unknown): boolean => process.stdout.write(`${JSON.stringify(line)}\n`);
print({ kind: 'opened', threadId: thread.facts.threadId });
await thread.runPushed('go', { onEvent: print });
if (order.leavesOpen !== true) await thread.close();
