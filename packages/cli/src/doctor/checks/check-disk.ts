import { constants } from 'node:fs';
import { access, readdir, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemReason } from '../../exec/setup-error.ts';
import { type CheckResult, counted, type Finding, resultOf, skipped } from '../check.ts';
import type { Scene } from '../scene.ts';

const CHECK = 'disk';
const MEGABYTE = 1024 * 1024;
const LITTLE_BYTES = 1024 * MEGABYTE;
/** A thread with a few pictures in it does not fit any more. */
const TOO_LITTLE_BYTES = 50 * MEGABYTE;
/** Counting goes on no further: what matters is the order of magnitude. */
const MAX_FILES = 20_000;

/** Whether the home folder can be written to, the space that is left, and what threads take of it. Writes nothing. */
export async function checkDisk(scene: Scene): Promise<CheckResult> {
  if (scene.home.kind === 'unusable') return skipped(CHECK, 'there is no home folder (see config)');
  const home = scene.home.path;
  const folder = await nearestFolder(home);
  const [problem, freeBytes, threads] = await Promise.all([
    writingProblem(folder),
    freeSpace(folder),
    sizeOfThreads(home, scene.signal),
  ]);
  const findings: Finding[] = [];
  if (problem !== undefined) {
    const text = `${folder} can not be written to: ${problem.reason}`;
    findings.push({ verdict: 'failed', text, remedy: problem.remedy });
  }
  if (freeBytes !== undefined && freeBytes < LITTLE_BYTES) {
    findings.push({
      verdict: freeBytes < TOO_LITTLE_BYTES ? 'failed' : 'warning',
      text: `only ${sizeText(freeBytes)} are free for ${home}`,
      remedy: 'make room; archived threads in archived_sessions may go first',
    });
  }
  return resultOf(CHECK, {
    summary: homeText({ home, isThere: folder === home, isWritable: problem === undefined }),
    details: [
      freeBytes === undefined ? 'how much is free is not known' : `${sizeText(freeBytes)} free`,
      `recorded threads: ${threads.isWhole ? '' : 'more than '}${counted(threads.files, 'file')}, ${sizeText(threads.bytes)}`,
    ],
    findings: problem === undefined ? findings : findings.filter(({ verdict }) => verdict === 'failed'),
  });
}

/** The folder itself, or the one in which it would be made. */
async function nearestFolder(folder: string): Promise<string> {
  const isThere = await stat(folder).then(
    () => true,
    () => false,
  );
  return isThere || dirname(folder) === folder ? folder : nearestFolder(dirname(folder));
}

function homeText(state: { readonly home: string; readonly isThere: boolean; readonly isWritable: boolean }): string {
  const { home, isThere, isWritable } = state;
  if (isWritable) return `${home}${isThere ? '' : ' does not exist yet, but'} can be written to`;
  return isThere ? `the home folder is ${home}` : `${home} does not exist yet`;
}

interface WritingProblem {
  readonly reason: string;
  readonly remedy: string;
}

async function writingProblem(folder: string): Promise<WritingProblem | undefined> {
  try {
    await access(folder, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const isReadOnly = error instanceof Error && 'code' in error && error.code === 'EROFS';
    const change = isReadOnly ? 'have its file system mounted for writing' : 'give yourself the right to write there';
    return { reason: systemReason(error), remedy: `${change}, or set QUIRE_HOME to another folder` };
  }
}

async function freeSpace(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return undefined; // not every file system tells
  }
}

interface Size {
  files: number;
  bytes: number;
  isWhole: boolean;
}

async function sizeOfThreads(home: string, signal: AbortSignal): Promise<Size> {
  const size: Size = { files: 0, bytes: 0, isWhole: true };
  for (const name of ['sessions', 'archived_sessions']) await addFolder(join(home, name), size, signal);
  return size;
}

async function addFolder(folder: string, size: Size, signal: AbortSignal): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (size.files >= MAX_FILES || signal.aborted) {
      size.isWhole = false;
      return;
    }
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await addFolder(path, size, signal);
    if (!entry.isFile()) continue;
    size.files += 1;
    size.bytes += await stat(path).then(
      (stats) => stats.size,
      () => 0, // archived meanwhile
    );
  }
}

function sizeText(bytes: number): string {
  if (bytes < MEGABYTE) return `${Math.ceil(bytes / 1024)} KiB`;
  if (bytes < 1024 * MEGABYTE) return `${Math.round(bytes / MEGABYTE)} MiB`;
  return `${(bytes / (1024 * MEGABYTE)).toFixed(1)} GiB`;
}
