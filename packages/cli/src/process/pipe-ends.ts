/**
 * Who holds the other end of a pipe, as far as `/proc` tells; Linux only. Node has no `poll` for descriptors that it
 * does not read or write, so there is no other way to learn of a reader that left or a writer that still works.
 * Source: proc(5).
 */
import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

type PipeEnd = 'read' | 'write';

export interface PipeHolder {
  readonly pid: number;
  /** Its descriptor, as a path. */
  readonly link: string;
}

export interface PipeSearch {
  readonly holder: PipeHolder | undefined;
  /** Processes that do not show what they hold: those of other users. Complete only without a holder. */
  readonly hidden: readonly number[];
}

interface ProcessFacts {
  readonly parent: number;
  readonly session: number;
}

const OWNER_BIT: Readonly<Record<PipeEnd, number>> = { read: 0o400, write: 0o200 };

/** One end of a pipe that this process has the other end of. */
export class OtherEnd {
  /** What all descriptors of the pipe link to. */
  readonly #name: string;
  readonly #end: PipeEnd;

  private constructor(name: string, end: PipeEnd) {
    this.#name = name;
    this.#end = end;
  }

  /**
   * @param end which one is looked for; `undefined` where it can not be told
   * @param pid whose descriptor it is; default: this process
   */
  static of(descriptor: number, end: PipeEnd, pid: number | 'self' = 'self'): OtherEnd | undefined {
    try {
      return new OtherEnd(readlinkSync(`/proc/${pid}/fd/${descriptor}`), end);
    } catch {
      return undefined; // another system, or no such descriptor
    }
  }

  isHeldBy({ link }: PipeHolder): boolean {
    try {
      return readlinkSync(link) === this.#name && (lstatSync(link).mode & OWNER_BIT[this.#end]) !== 0;
    } catch {
      return false; // closed, or its process is gone
    }
  }

  /** Looks through the processes `pids`, in that order, up to the first that holds the end. */
  findAmong(pids: Iterable<number>): PipeSearch {
    const hidden: number[] = [];
    for (const pid of pids) {
      const links = linksOf(pid);
      if (links === 'hidden') hidden.push(pid);
      else {
        const link = links.find((candidate) => this.isHeldBy({ pid, link: candidate }));
        if (link !== undefined) return { holder: { pid, link }, hidden };
      }
    }
    return { holder: undefined, hidden };
  }
}

/** All processes but this one, those with the nearest numbers first: the members of a pipeline start together. */
export function otherProcesses(): readonly number[] {
  const { pid: own } = process;
  return namesIn('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== own)
    .sort((left, right) => Math.abs(left - own) - Math.abs(right - own));
}

/** The parent of this process, its parent, and so on. */
export function ancestors(): ReadonlySet<number> {
  const found = new Set<number>();
  for (let pid = process.ppid; pid > 0 && !found.has(pid); pid = processFacts(pid)?.parent ?? 0) found.add(pid);
  return found;
}

/** Who reads what this process prints to pipes, and who reads what those print. */
export function downstream(pids: readonly number[]): ReadonlySet<number> {
  const found = new Set<number>();
  const ends = outputsOf('self');
  for (let end = ends.pop(); end !== undefined; end = ends.pop()) {
    for (const pid of pids) {
      if (found.has(pid) || end.findAmong([pid]).holder === undefined) continue;
      found.add(pid);
      ends.push(...outputsOf(pid));
    }
  }
  return found;
}

function outputsOf(pid: number | 'self'): OtherEnd[] {
  return [1, 2].flatMap((descriptor) =>
    isPipe(`/proc/${pid}/fd/${descriptor}`) ? (OtherEnd.of(descriptor, 'read', pid) ?? []) : [],
  );
}

function isPipe(link: string): boolean {
  try {
    return statSync(link).isFIFO();
  } catch {
    return false; // closed, or its process is gone
  }
}

/** Fields 4 and 6 of `stat`; the name before them may hold spaces and brackets. */
export function processFacts(pid: number): ProcessFacts | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [, parent, , session] = text.slice(text.lastIndexOf(')') + 2).split(' ', 4);
    return { parent: Number(parent), session: Number(session) };
  } catch {
    return undefined; // it has ended
  }
}

/** The name a process goes by, at most 15 bytes. */
export function processName(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd();
  } catch {
    return 'a process';
  }
}

function linksOf(pid: number): readonly string[] | 'hidden' {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).map((name) => `${folder}/${name}`);
  } catch (error) {
    const isRefused = error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM');
    return isRefused ? 'hidden' : [];
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
