import { endOfLastWholeCharacter } from '../process/captured-output.ts';

/** Source of the limits: the peer. */
const MAX_LINES = 20;
const MAX_LINE_BYTES = 512;
const MAX_BYTES = 4096;
const SHOWN_BYTES = 1024;

const LINE_FEED = 10;

/** The last lines that a kernel wrote to standard error, each cut when it is long. */
export class StderrTail {
  readonly #lines: Buffer[] = [];
  #unfinished = Buffer.alloc(0);
  #fatalLine: string | undefined;

  append(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      this.#extend(chunk.subarray(start, end));
      this.#finishLine();
      start = end + 1;
    }
    this.#extend(chunk.subarray(start));
  }

  /** What the engine gave as the reason of its own end. */
  get fatalLine(): string | undefined {
    return this.#fatalLine;
  }

  /** The end of it, as much as is shown. */
  get text(): string {
    const lines = [...this.#lines, this.#unfinished].map((line) => line.toString('utf8')).filter((line) => line !== '');
    const bytes = Buffer.from(lines.join('\n'));
    const shown = bytes.subarray(Math.max(0, bytes.length - SHOWN_BYTES));
    return shown.toString('utf8').replace(/^\uFFFD+/, '');
  }

  #extend(bytes: Buffer): void {
    const rest = MAX_LINE_BYTES - this.#unfinished.length;
    if (rest > 0 && bytes.length > 0) this.#unfinished = Buffer.concat([this.#unfinished, bytes.subarray(0, rest)]);
  }

  #finishLine(): void {
    const line = this.#unfinished.subarray(0, endOfLastWholeCharacter(this.#unfinished));
    this.#unfinished = Buffer.alloc(0);
    this.#lines.push(line);
    if (line.toString('latin1', 0, 11) === 'FATAL ERROR') this.#fatalLine ??= line.toString('utf8');
    let bytes = this.#lines.reduce((sum, { length }) => sum + length, 0);
    while (this.#lines.length > MAX_LINES || bytes > MAX_BYTES) bytes -= this.#lines.shift()?.length ?? 0;
  }
}
