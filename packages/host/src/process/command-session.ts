import type { CommandEnd, CommandRunner, SessionReading } from '@quire/core';
import { timerDelay } from './abort.ts';
import { CapturedOutput, joinOutput } from './captured-output.ts';
import { limitedReport, type Report, readStream, type StreamReading } from './read-stream.ts';
import type { StartedCommand } from './start-command.ts';
import { commandEnd, DRAIN_MS } from './supervise.ts';
import { WholeCharacters } from './whole-characters.ts';

type Look = Parameters<CommandRunner['openSession']>[1];

export interface SessionParts {
  readonly id: number;
  readonly isTerminal: boolean;
  /** Kills the whole tree at once; resolves when it has looked for members that left the group. */
  readonly killTree: () => Promise<void>;
  /** Called once, when the command ended. */
  readonly onEnd: () => void;
}

/** A command that lives on between looks at what it prints. Keeps the event loop alive only during a look. */
export class CommandSession {
  readonly id: number;
  readonly isTerminal: boolean;
  readonly #started: StartedCommand;
  readonly #parts: SessionParts;
  readonly #readings: readonly StreamReading[];
  readonly #listeners = new Set<Report>();
  readonly #ended: Promise<void>;
  readonly #characters: WholeCharacters[] = [];
  #unread = new CapturedOutput();
  #exit: CommandEnd | undefined;
  #end: CommandEnd | undefined;

  constructor(started: StartedCommand, parts: SessionParts) {
    this.id = parts.id;
    this.isTerminal = parts.isTerminal;
    this.#started = started;
    this.#parts = parts;
    const report = (text: string): void => {
      for (const listener of this.#listeners) listener(text);
    };
    let onDrained = (): void => undefined;
    this.#readings = started.streams.map((stream) => {
      const captured = new WholeCharacters((bytes) => this.#unread.append(bytes));
      this.#characters.push(captured);
      return readStream(stream, { captured, report, onEnd: () => onDrained() });
    });
    this.#ended = new Promise((resolve) => {
      onDrained = () => {
        if (this.#readings.every((reading) => reading.isEnded())) this.#settle(resolve);
      };
      started.child.once('exit', (code, signal) => {
        this.#exit = commandEnd(code, signal);
        setTimeout(() => setImmediate(() => this.#settle(resolve)), DRAIN_MS).unref();
        onDrained();
      });
    });
    started.child.unref();
    for (const stream of started.streams) stream.unref();
  }

  /** It ended, whether or not somebody was told. */
  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** What it printed until it ends or the time is up. */
  async look(look: Look): Promise<SessionReading> {
    const startedAt = performance.now();
    const report = limitedReport(look.onOutput);
    if (report !== undefined) this.#listeners.add(report);
    try {
      await this.#wait(look);
    } finally {
      if (report !== undefined) this.#listeners.delete(report);
    }
    const { output, omittedBytes } = this.#takeOutput();
    return { sessionId: this.id, output, omittedBytes, end: this.#end, durationMs: performance.now() - startedAt };
  }

  write(text: string): void {
    const [terminal] = this.#started.streams;
    if (this.#end === undefined && terminal?.writable === true) terminal.write(text);
  }

  async kill(): Promise<void> {
    await this.#parts.killTree();
    for (const stream of this.#started.streams) stream.destroy();
  }

  #wait({ yieldMs, signal }: Look): Promise<void> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const settle = (report: () => void): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        report();
      };
      const abort = (): void => settle(() => reject(signal.reason));
      const timer = setTimeout(() => settle(resolve), timerDelay(yieldMs));
      signal.addEventListener('abort', abort, { once: true });
      void this.#ended.then(() => settle(resolve));
    });
  }

  #settle(resolve: () => void): void {
    if (this.#end !== undefined || this.#exit === undefined) return;
    this.#end = this.#exit;
    for (const reading of this.#readings) reading.finish();
    for (const characters of this.#characters) characters.flush();
    if (this.isTerminal) for (const stream of this.#started.streams) stream.destroy();
    this.#parts.onEnd();
    resolve();
  }

  #takeOutput(): { readonly output: string; readonly omittedBytes: number } {
    const taken = this.#unread;
    this.#unread = new CapturedOutput();
    return joinOutput(taken, new CapturedOutput());
  }
}
