import { isUtf8 } from 'node:buffer';
import type { StdinOutcome, StdinSource } from '../process/stdin-source.ts';
import { safeLine } from './safe-text.ts';
import { SetupError, systemReason } from './setup-error.ts';

/** Units are in the names. `DEFAULT_STDIN_LIMITS` is the documented rule; tests pass shorter ones. */
export interface StdinLimits {
  readonly maxBytes: number;
  /** Wait for the first byte beside a prompt argument, and before the notice without one. */
  readonly firstByteTimeoutMs: number;
  /** Longest pause once bytes came beside a prompt argument. */
  readonly silenceTimeoutMs: number;
}

export const DEFAULT_STDIN_LIMITS: StdinLimits = {
  maxBytes: 64 * 1024 * 1024,
  firstByteTimeoutMs: 1_000,
  silenceTimeoutMs: 30_000,
};

export interface Prompt {
  /** The prompt argument, or stdin when there was none. */
  readonly text: string;
  /** What stdin held beside a prompt argument; empty when nothing. */
  readonly attached: string;
}

export interface ReadPromptOptions {
  readonly argument: string | undefined;
  readonly stdin: StdinSource;
  readonly limits: StdinLimits;
  /** Takes one line for the person, without line end. */
  readonly notify: (line: string) => void;
  readonly signal: AbortSignal;
}

const EMPTY_PROMPT = 'the prompt is empty; pass it as an argument or on stdin';

/**
 * The prompt by the stdin rule of `docs/exec.md`: with a prompt argument an open but silent stdin that nobody beside
 * us writes to delays the start by at most one second, and half of an input is never sent.
 *
 * Rejects with `SetupError` 'stdin', or with the abort reason.
 */
export async function readPrompt(options: ReadPromptOptions): Promise<Prompt> {
  if (options.argument === undefined) return { text: await readWhole(options), attached: '' };
  requireText(options.argument);
  const attached = await readAttached(options);
  return { text: options.argument, attached: attached.trim() === '' ? '' : attached };
}

/** Throws `SetupError` 'stdin' for a prompt without words. */
export function requireText(prompt: string): void {
  if (prompt.trim() === '') throw new SetupError('stdin', EMPTY_PROMPT);
}

/** The text of the user message for a prompt. */
export function composePrompt(prompt: Prompt): string {
  if (prompt.attached === '') return prompt.text;
  const lineEnd = prompt.attached.endsWith('\n') ? '' : '\n';
  return `${prompt.text}\n\n<stdin>\n${prompt.attached}${lineEnd}</stdin>`;
}

async function readWhole({ stdin, limits, notify, signal }: ReadPromptOptions): Promise<string> {
  const hint = (): void => notify('Reading the prompt from stdin; end it with Ctrl-D');
  const isTerminal = stdin.kind() === 'terminal';
  if (isTerminal) hint();
  const outcome = await readOrFail(stdin, {
    maxBytes: limits.maxBytes,
    signal,
    ...(!isTerminal && { onQuiet: { afterMs: limits.firstByteTimeoutMs, notify: hint } }),
  });
  const text = textOf(outcome, limits);
  requireText(text);
  return text;
}

async function readAttached({ stdin, limits, notify, signal }: ReadPromptOptions): Promise<string> {
  const kind = stdin.kind();
  if (kind === 'terminal' || kind === 'empty') return '';
  const outcome = await readOrFail(stdin, {
    ...limits,
    signal,
    onProducer: ({ name, pid }) =>
      notify(`quire: waiting for the end of stdin, which ${safeLine(name)} (process ${pid}) can still write to`),
  });
  if (outcome.kind === 'silent') {
    notify('quire: stdin was open but silent and is ignored; to read the prompt from it pass - as the prompt');
    return '';
  }
  return textOf(outcome, limits);
}

async function readOrFail(stdin: StdinSource, options: Parameters<StdinSource['read']>[0]): Promise<StdinOutcome> {
  try {
    return await stdin.read(options);
  } catch (error) {
    options.signal.throwIfAborted();
    throw new SetupError('stdin', `stdin can not be read: ${systemReason(error)}`, { cause: error });
  }
}

function textOf(outcome: StdinOutcome, limits: StdinLimits): string {
  switch (outcome.kind) {
    case 'read':
      return decode(outcome.bytes);
    case 'silent':
      return '';
    case 'stalled': {
      const seconds = limits.silenceTimeoutMs / 1000;
      throw new SetupError(
        'stdin',
        `stdin went silent for ${seconds} s after ${outcome.byteCount} bytes without ending; nothing was sent. ` +
          'Close it when the input is complete',
      );
    }
    case 'too-large':
      throw new SetupError(
        'stdin',
        `stdin holds more than ${limits.maxBytes / 1024 / 1024} MiB; pass the path of a file in the prompt instead`,
      );
  }
}

function decode(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString('utf8');
  if (isUtf8(buffer)) return text.startsWith('\uFEFF') ? text.slice(1) : text;
  const decoded = Buffer.from(text);
  let offset = 0;
  while (decoded[offset] === buffer[offset]) offset += 1;
  throw new SetupError('stdin', `stdin is not valid UTF-8 (byte ${offset}); convert it first, for example with iconv`);
}
