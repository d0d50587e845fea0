import { closeSync, constants, openSync, readSync } from 'node:fs';
import { ReadStream } from 'node:tty';

const COLUMNS = 80;
const ROWS = 24;

/** A pseudo terminal: what a command prints on it is read from `master`, what is written there it reads. */
export interface Terminal {
  readonly master: ReadStream;
  /** To be handed to the child, then closed with `closeSync`. */
  readonly slaveFd: number;
  /** Path of the device. */
  readonly name: string;
}

export type TerminalOpening =
  | { readonly kind: 'open'; readonly terminal: Terminal }
  | { readonly kind: 'unavailable'; readonly reason: string };

/**
 * Descriptors of masters. The system opens them so that every program started from here would inherit them, and
 * with them the power to type into terminals of other commands.
 */
const inheritable = new Set<number>();

/** Opens a terminal of 80 by 24 characters. Its module is loaded at the first call. Never rejects. */
export async function openTerminal(): Promise<TerminalOpening> {
  try {
    const { requireBinary } = await import('@lydell/node-pty/requireBinary.js');
    const { master: masterFd, slave, pty: name } = (requireBinary('pty.node') as NativeTerminals).open(COLUMNS, ROWS);
    closeSync(slave); // opened once more, so that it is not inherited
    return { kind: 'open', terminal: takeTerminal(masterFd, name) };
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    return { kind: 'unavailable', reason: `no terminal can be opened here (${reason}); run it without a terminal` };
  }
}

function takeTerminal(masterFd: number, name: string): Terminal {
  inheritable.add(masterFd);
  try {
    const slaveFd = openSync(name, constants.O_RDWR | constants.O_NOCTTY);
    const master = new ReadStream(masterFd);
    master.prependOnceListener('end', () => readRest(master, masterFd));
    master.once('close', () => inheritable.delete(masterFd));
    return { master, slaveFd, name };
  } catch (error) {
    inheritable.delete(masterFd);
    closeSync(masterFd);
    throw error;
  }
}

/**
 * When the last program of a terminal is gone, Node takes the stream for ended, although the system may still hold
 * some of what was printed. Hands that to the listeners for data, before those for the end are called.
 */
function readRest(master: ReadStream, fd: number): void {
  if (master.destroyed) return;
  try {
    for (;;) {
      const chunk = Buffer.alloc(4096);
      const length = readSync(fd, chunk);
      if (length === 0) return;
      master.emit('data', chunk.subarray(0, length));
    }
  } catch {
    return; // EIO or EAGAIN: that was all
  }
}

/** The part of the native module that is used here. Source: its JavaScript side. */
interface NativeTerminals {
  open(columns: number, rows: number): { readonly master: number; readonly slave: number; readonly pty: string };
}

/**
 * Calls `start` with `stdio` filled up such that the started program does not inherit any terminal's master: in
 * place of each it finds `/dev/null`. For every program that is started while terminals may be open.
 */
export function withoutTerminals<Stdio, Result>(
  stdio: readonly Stdio[],
  start: (stdio: (Stdio | 'ignore' | number)[]) => Result,
): Result {
  const filled: (Stdio | 'ignore' | number)[] = [...stdio];
  if (inheritable.size === 0) return start(filled);
  const nullFd = openSync('/dev/null', constants.O_RDWR);
  try {
    for (const fd of inheritable) {
      while (filled.length <= fd) filled.push('ignore'); // beyond the first three: left as it is, which is closed
      if (fd >= stdio.length) filled[fd] = nullFd;
    }
    return start(filled);
  } finally {
    closeSync(nullFd);
  }
}
