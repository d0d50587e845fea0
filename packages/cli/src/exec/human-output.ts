import type { ThreadFacts } from '@quire/agent';
import {
  assertNever,
  blendedTotal,
  type RequestReceipt,
  type ReviewResult,
  type ThreadEvent,
  type ThreadTokenUsage,
  type TurnItem,
  type TurnOutcome,
} from '@quire/protocol';
import type { TextSink } from '../process/text-sink.ts';
import type { ExecOutput, ShownPrompt } from './exec-output.ts';
import { formatCount, formatDuration, shortPath } from './human-format.ts';
import {
  commandEndLines,
  commandLines,
  compactionLine,
  fileChangeLines,
  planLines,
  reviewLines,
  subAgentLines,
  toolCallLines,
} from './item-format.ts';
import { headerLines, promptLines } from './opening-format.ts';
import { retryReason } from './retry-reason.ts';
import { safeLine, safeText } from './safe-text.ts';
import type { Style } from './style.ts';
import { receiptLine } from './turn-receipt.ts';

export interface HumanOutputOptions {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly style: Style;
  readonly version: string;
  /**
   * Whether both streams end at the same place (one terminal, `2>&1`): then the final message, already shown in the
   * transcript, is not repeated.
   */
  readonly sharedSink: boolean;
  readonly stdoutIsTerminal: boolean;
}

/**
 * A transcript on stderr for a person to follow, and nothing but the final agent message on stdout.
 * Text of the model and of commands can not drive the terminal.
 */
export class HumanOutput implements ExecOutput {
  readonly #options: HumanOutputOptions;
  readonly #style: Style;
  #workingDirectory = '';
  #shownReasoning: ThreadFacts['shownReasoning'] = 'summary';
  #usage: ThreadTokenUsage | undefined;
  #receipts: readonly RequestReceipt[] = [];
  #lastMessage: string | undefined;
  /** The command whose line was printed last, when nothing was printed since. */
  #openCommand: string | undefined;
  /** The command of a person that runs now. */
  #ownCommand: { readonly id: string; hasOutput: boolean; endsLine: boolean } | undefined;
  #wasReviewShown = false;
  #lastPlan = '';

  constructor(options: HumanOutputOptions) {
    this.#options = options;
    this.#style = options.style;
  }

  opened(facts: ThreadFacts, prompt: ShownPrompt | undefined): void {
    this.#workingDirectory = facts.workingDirectory;
    this.#shownReasoning = facts.shownReasoning;
    this.#print(headerLines(facts, this.#options));
    if (prompt !== undefined) this.#block(promptLines(prompt, this.#style));
    for (const warning of facts.warnings) this.#warning(warning);
  }

  /** Its id is what the person asked for. */
  left(facts: ThreadFacts): void {
    this.#options.stdout.write(`${facts.threadId}\n`);
  }

  event(event: ThreadEvent): void {
    switch (event.kind) {
      case 'text-delta':
      case 'reasoning-delta':
      case 'thread-start':
      case 'turn-start':
      case 'rate-limits':
      case 'turn-diff':
      case 'turn-end':
        return;
      case 'command-output-delta':
        if (event.itemId === this.#ownCommand?.id) this.#ownOutput(event.delta);
        return;
      case 'item-start':
        this.#itemStarted(event.item);
        return;
      case 'item-update':
        if (event.item.kind === 'plan') this.#itemShown(event.item);
        return;
      case 'item-end':
        this.#itemShown(event.item);
        return;
      case 'token-usage':
        this.#usage = event.usage;
        return;
      case 'stream-retry': {
        const { attempt, maxAttempts, delayMs, cause } = event;
        const when = delayMs > 0 ? ` in ${formatDuration(delayMs)}` : '';
        this.#block([
          this.#style.yellow(
            `↻ ${retryReason(cause.code)}; trying again (${attempt} of ${maxAttempts})${when}: ${safeLine(cause.message)}`,
          ),
        ]);
        return;
      }
      case 'warning':
        this.#warning(event.message);
        return;
      case 'model-waiting':
        this.#block([
          this.#style.dim(`… the model has been silent for ${formatDuration(event.silentMs)}; the connection is alive`),
        ]);
        return;
      case 'turn-receipt':
        this.#receipts = event.requests;
        return;
      default:
        assertNever(event, 'HumanOutput.event');
    }
  }

  ended(outcome: TurnOutcome): void {
    const { dim, red, yellow } = this.#style;
    switch (outcome.kind) {
      case 'completed':
        this.#tokensUsed(dim);
        this.#finalMessage(outcome.lastAgentMessage);
        return;
      case 'failed':
        this.#block([red(`ERROR: ${safeText(outcome.failure.message)}`)]);
        this.#tokensUsed(dim);
        return;
      case 'interrupted':
        this.#block([yellow('■ interrupted')]);
        this.#tokensUsed(dim);
        return;
      default:
        assertNever(outcome, 'HumanOutput.ended');
    }
  }

  #itemStarted(item: TurnItem): void {
    switch (item.kind) {
      case 'command-execution':
        this.#commandStarted(item);
        return;
      case 'plan':
        this.#itemShown(item);
        return;
      case 'context-compaction':
        this.#block([this.#style.dim(compactionLine(item))]);
        return;
      case 'sub-agent':
        this.#block(subAgentLines(item, this.#style));
        return;
      default:
        return; // shown at their end
    }
  }

  #itemShown(item: TurnItem): void {
    switch (item.kind) {
      case 'user-message':
        return;
      case 'agent-message':
        this.#lastMessage = item.text;
        this.#block(this.#bulleted(item.text, { bullet: this.#style.bold('•'), paint: (line) => line }));
        return;
      case 'reasoning': {
        const text = reasoningText(item, this.#shownReasoning);
        const { dim, italic } = this.#style;
        if (text !== '') this.#block(this.#bulleted(text, { bullet: dim('∴'), paint: (line) => dim(italic(line)) }));
        return;
      }
      case 'command-execution':
        this.#commandEnded(item);
        return;
      case 'file-change':
        this.#block(fileChangeLines(item, { style: this.#style, workingDirectory: this.#workingDirectory }));
        return;
      case 'web-search':
        this.#block([`${this.#style.cyan('⌕')} ${safeLine(item.query === '' ? 'web search' : item.query)}`]);
        return;
      case 'mcp-tool-call':
      case 'dynamic-tool-call':
      case 'javascript':
        this.#block(toolCallLines(item, this.#style));
        return;
      case 'image-view':
        this.#block([`${this.#style.cyan('▣')} ${safeLine(shortPath(item.path, this.#workingDirectory))}`]);
        return;
      case 'plan':
        this.#planShown(item);
        return;
      case 'tool-error':
        this.#toolError(item);
        return;
      case 'context-compaction':
        this.#block([this.#style.dim(compactionLine(item))]);
        return;
      case 'review-start':
        this.#block([`${this.#style.cyan('◎')} reviewing ${safeLine(item.target)}`]);
        return;
      case 'review-end':
        this.#reviewEnded(item.review);
        return;
      case 'sub-agent':
        this.#block(subAgentLines(item, this.#style));
        return;
      default:
        assertNever(item, 'HumanOutput.itemShown');
    }
  }

  #commandStarted(item: Extract<TurnItem, { kind: 'command-execution' }>): void {
    const lines = commandLines(item, { style: this.#style, workingDirectory: this.#workingDirectory });
    // Commands that start side by side stand together.
    if (this.#openCommand === undefined) this.#block(lines);
    else this.#print(lines);
    this.#openCommand = item.id;
    if (item.source === 'user') this.#ownCommand = { id: item.id, endsLine: true, hasOutput: false };
  }

  /** The output of a command that the person asked for is what they want to have: whole, and on stdout. */
  #ownOutput(text: string): void {
    const command = this.#ownCommand;
    if (command === undefined || text === '') return;
    command.hasOutput = true;
    command.endsLine = text.endsWith('\n');
    this.#options.stdout.write(this.#options.stdoutIsTerminal ? safeText(text) : text);
  }

  #ownCommandEnded(output: string): void {
    const command = this.#ownCommand;
    if (command === undefined) return;
    if (!command.hasOutput) this.#ownOutput(output);
    if (!command.endsLine && this.#options.sharedSink) this.#ownOutput('\n');
    this.#ownCommand = undefined;
  }

  #commandEnded(item: Extract<TurnItem, { kind: 'command-execution' }>): void {
    if (this.#openCommand !== item.id) {
      this.#openCommand = undefined;
      this.#commandStarted(item);
    }
    this.#openCommand = undefined;
    if (item.source === 'user') this.#ownCommandEnded(item.output);
    this.#print(commandEndLines(item, this.#style));
  }

  #planShown(item: Extract<TurnItem, { kind: 'plan' }>): void {
    const lines = planLines(item, this.#style);
    const shown = lines.join('\n');
    if (shown === this.#lastPlan) return;
    this.#lastPlan = shown;
    this.#block(lines);
  }

  #reviewEnded(review: ReviewResult | undefined): void {
    if (review === undefined) return; // the end of the task tells why
    this.#wasReviewShown = true;
    this.#block(reviewLines(review, { style: this.#style, workingDirectory: this.#workingDirectory }));
  }

  #toolError(item: Extract<TurnItem, { kind: 'tool-error' }>): void {
    const tool = item.message.includes(item.tool) ? '' : `${safeLine(item.tool)}: `;
    this.#block([this.#style.red(`✗ ${tool}${safeLine(item.message)}`)]);
  }

  #warning(message: string): void {
    this.#block([this.#style.yellow(`! ${safeText(message)}`)]);
  }

  #tokensUsed(paint: (text: string) => string): void {
    const lines: string[] = [];
    if (this.#usage !== undefined) lines.push(`tokens used: ${formatCount(blendedTotal(this.#usage.total))}`);
    if (this.#receipts.length > 0) lines.push(receiptLine(this.#receipts));
    if (lines.length > 0) this.#block(lines.map(paint));
  }

  #finalMessage(text: string | undefined): void {
    if (text === undefined) return;
    const wasShown = this.#wasReviewShown || this.#lastMessage === text;
    if (this.#options.sharedSink && wasShown) return;
    const line = text.endsWith('\n') ? text : `${text}\n`;
    this.#options.stdout.write(this.#options.stdoutIsTerminal ? safeText(line) : line);
  }

  #bulleted(
    text: string,
    options: { readonly bullet: string; readonly paint: (line: string) => string },
  ): readonly string[] {
    return safeText(text)
      .trimEnd()
      .split('\n')
      .map((line, index) => {
        if (index === 0) return `${options.bullet} ${options.paint(line)}`;
        return line === '' ? '' : `  ${options.paint(line)}`;
      });
  }

  /** Lines with an empty one before them. */
  #block(lines: readonly string[]): void {
    this.#openCommand = undefined;
    this.#print(['', ...lines]);
  }

  #print(lines: readonly string[]): void {
    if (lines.length > 0) this.#options.stderr.write(`${lines.join('\n')}\n`);
  }
}

function reasoningText(
  { summary, raw }: Extract<TurnItem, { readonly kind: 'reasoning' }>,
  shown: ThreadFacts['shownReasoning'],
): string {
  if (shown === 'none') return '';
  const whole = shown === 'raw' ? raw.join('\n').trim() : '';
  return whole === '' ? summary.join('\n').trim() : whole;
}
