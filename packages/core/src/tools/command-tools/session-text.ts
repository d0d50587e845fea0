import type { TruncationPolicy } from '@quire/protocol';
import { approximateTokens, BYTES_PER_TOKEN } from '../../history/estimate-tokens.ts';
import type { Entropy } from '../../ports/clock.ts';
import type { CommandEnd, SessionReading } from '../../ports/command-runner.ts';
import { utf8Length } from '../../utf8.ts';
import { type ArgumentReading, invalid } from '../call-arguments.ts';
import { exitCodeOf, printedText, truncateCounted } from './command-text.ts';

/** Source: the peer's default for tools with sessions. */
const DEFAULT_OUTPUT_TOKENS = 10_000;

/** What of the output the model gets: what it asked for, and never more than its policy allows. */
export function readOutputBudget(value: unknown, policy: TruncationPolicy): ArgumentReading<TruncationPolicy> {
  const asked = value ?? DEFAULT_OUTPUT_TOKENS;
  if (typeof asked !== 'number' || !(asked >= 0)) return invalid('`max_output_tokens` must be a number from 0');
  const most = policy.mode === 'tokens' ? policy.limit : Math.floor(policy.limit / BYTES_PER_TOKEN);
  return { kind: 'ok', value: { mode: 'tokens', limit: Math.min(Math.ceil(asked), most) } };
}

/** Output with a first line that says how the command ended where that is no exit. */
export function readingText({ end, output }: Pick<SessionReading, 'end' | 'output'>): string {
  return end === undefined ? output : printedText(end, output, /* timeoutMs */ 0);
}

/** Of one look at a session. Source for the form: the peer's `exec_command`. */
export function sessionText(
  reading: SessionReading,
  options: { readonly budget: TruncationPolicy; readonly entropy: Pick<Entropy, 'random'> },
): string {
  const text = readingText(reading);
  const chunkId = Math.floor(options.entropy.random() * 0x1000000)
    .toString(16)
    .padStart(6, '0');
  return [
    `Chunk ID: ${chunkId}`,
    `Wall time: ${(reading.durationMs / 1000).toFixed(4)} seconds`,
    stateLine(reading.sessionId, reading.end),
    `Original token count: ${approximateTokens(utf8Length(text) + reading.omittedBytes)}`,
    'Output:',
    truncateCounted(text, lineCount(text), options.budget),
  ].join('\n');
}

function stateLine(sessionId: number, end: CommandEnd | undefined): string {
  if (end === undefined) return `Process running with session ID ${sessionId}`;
  return `Process exited with code ${exitCodeOf(end)}`;
}

function lineCount(text: string): number {
  if (text === '') return 0;
  let lines = text.endsWith('\n') ? 0 : 1;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}
