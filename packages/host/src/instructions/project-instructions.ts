import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { systemErrorCode } from '@quire/files';
import { endOfLastWholeCharacter } from '../process/captured-output.ts';
import { systemReason } from '../system-reason.ts';

export const DEFAULT_PROJECT_INSTRUCTIONS_MAX_BYTES = 32_768;

const OVERRIDE_NAME = 'AGENTS.override.md';
const USUAL_NAME = 'AGENTS.md';
const SEPARATOR = '\n\n--- project-doc ---\n\n';

export interface ProjectInstructionsOptions {
  /** Absolute. */
  readonly cwd: string;
  /** The directory of the user's own settings. */
  readonly home: string;
  /** For all project files together; 0 switches them off. Default: `DEFAULT_PROJECT_INSTRUCTIONS_MAX_BYTES`. */
  readonly maxBytes?: number;
  /** What marks the root of a project. Default: `.git`. Empty: only `cwd` itself counts. */
  readonly rootMarkers?: readonly string[];
  /** Further names, tried in a directory that has none of the usual ones. */
  readonly fallbackFilenames?: readonly string[];
}

export interface ProjectDocument {
  readonly path: string;
  readonly text: string;
  /** How much was cut off its end; 0 when it is whole. */
  readonly truncatedBytes: number;
}

export interface ProjectInstructions {
  /** From the user's settings directory, trimmed. */
  readonly user: { readonly path: string; readonly text: string } | undefined;
  /** From the root of the project down to the working directory. */
  readonly documents: readonly ProjectDocument[];
  /**
   * Everything joined as the model is to read it; `undefined` when there is nothing. Where the size limit cut
   * something off, the last line says of which files; it does not count against the limit.
   */
  readonly text: string | undefined;
  /** One line for each file of which something was not read. */
  readonly notices: readonly string[];
}

/**
 * Finds and joins the instruction files for a working directory. Reads only; never rejects for a file that
 * is missing or unreadable. Bytes that are not UTF-8 become U+FFFD. Source: the peer.
 */
export async function readProjectInstructions(options: ProjectInstructionsOptions): Promise<ProjectInstructions> {
  const notices: string[] = [];
  const maxBytes = options.maxBytes ?? DEFAULT_PROJECT_INSTRUCTIONS_MAX_BYTES;
  const [user, { documents, cuts }] = await Promise.all([
    readUserInstructions(options.home, notices),
    maxBytes > 0 ? readProjectDocuments(options, { maxBytes, notices }) : { documents: [], cuts: [] },
  ]);
  const remedy = `raise project_doc_max_bytes (now ${maxBytes}) to read the rest`;
  notices.push(...cuts.map((cut) => `${describeCut(cut)}: ${remedy}`));
  const texts = documents.map((document) => document.text);
  if (cuts.length > 0) texts.push(`[These instructions are incomplete: ${cuts.map(describeCut).join('; ')}.]`);
  const project = texts.join('\n\n');
  const parts = [user?.text ?? '', project].filter((part) => part !== '');
  return { user, documents, text: parts.length === 0 ? undefined : parts.join(SEPARATOR), notices };
}

async function readUserInstructions(home: string, notices: string[]): Promise<ProjectInstructions['user']> {
  for (const name of [OVERRIDE_NAME, USUAL_NAME]) {
    const path = join(home, name);
    await using file = await openRegularFile(path, notices);
    const text = file === undefined ? '' : (await file.handle.readFile('utf8')).trim();
    if (text !== '') return { path, text };
  }
  return undefined;
}

interface Cut {
  readonly path: string;
  readonly readBytes: number;
  readonly sizeBytes: number;
}

function describeCut({ path, readBytes, sizeBytes }: Cut): string {
  return `read ${readBytes} of ${sizeBytes} bytes of ${path}`;
}

async function readProjectDocuments(
  options: ProjectInstructionsOptions,
  limits: { readonly maxBytes: number; readonly notices: string[] },
): Promise<{ readonly documents: readonly ProjectDocument[]; readonly cuts: readonly Cut[] }> {
  const names = [OVERRIDE_NAME, USUAL_NAME, ...(options.fallbackFilenames ?? [])];
  const documents: ProjectDocument[] = [];
  const cuts: Cut[] = [];
  let bytesLeft = limits.maxBytes;
  for (const directory of await projectDirectories(resolve(options.cwd), options.rootMarkers ?? ['.git'])) {
    await using file = await openFirst(directory, names, limits.notices);
    if (file === undefined) continue;
    const { path, sizeBytes } = file;
    const document = await readHead(file, bytesLeft);
    if (document === undefined) continue;
    const { text, readBytes } = document;
    bytesLeft -= readBytes;
    if (readBytes < sizeBytes) {
      cuts.push({ path, readBytes, sizeBytes });
      bytesLeft = 0; // the first file that does not fit ends the reading
    }
    if (text !== '') documents.push({ path, text, truncatedBytes: sizeBytes - readBytes });
  }
  return { documents, cuts };
}

/** From the nearest directory that has a marker down to `cwd`; `cwd` alone when there is none. */
async function projectDirectories(cwd: string, markers: readonly string[]): Promise<string[]> {
  if (markers.length === 0) return [cwd];
  const directories: string[] = [];
  for (let directory = cwd; ; directory = dirname(directory)) {
    directories.unshift(directory);
    const found = await Promise.all(markers.map((marker) => exists(join(directory, marker))));
    if (found.includes(true)) return directories;
    if (dirname(directory) === directory) return [cwd];
  }
}

interface OpenFile extends AsyncDisposable {
  readonly path: string;
  readonly handle: FileHandle;
  readonly sizeBytes: number;
}

async function openFirst(
  directory: string,
  names: readonly string[],
  notices: string[],
): Promise<OpenFile | undefined> {
  for (const name of names) {
    const file = await openRegularFile(join(directory, name), notices);
    if (file !== undefined) return file;
  }
  return undefined;
}

/** A regular file or a link to one; `undefined` for anything else, which is not even opened. */
async function openRegularFile(path: string, notices: string[]): Promise<OpenFile | undefined> {
  try {
    const stats = await stat(path);
    if (!stats.isFile()) return undefined;
    const handle = await open(path);
    return { path, handle, sizeBytes: stats.size, [Symbol.asyncDispose]: () => handle.close() };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') notices.push(`could not read ${path} (${systemReason(error)})`);
    return undefined;
  }
}

/** Read of a file even when the limit leaves less room, to see whether it holds anything at all. */
const BLANK_PROBE_BYTES = 4096;

/** `undefined` for a file that holds only blanks. */
async function readHead(
  file: OpenFile,
  maxBytes: number,
): Promise<{ readonly text: string; readonly readBytes: number } | undefined> {
  const buffer = Buffer.alloc(Math.min(file.sizeBytes, Math.max(maxBytes, BLANK_PROBE_BYTES)));
  const { bytesRead } = await file.handle.read(buffer, 0, buffer.length, 0);
  if (bytesRead >= file.sizeBytes && buffer.toString('utf8', 0, bytesRead).trim() === '') return undefined;
  const head = buffer.subarray(0, Math.min(bytesRead, maxBytes));
  const readBytes = head.length < file.sizeBytes ? endOfLastWholeCharacter(head) : head.length;
  return { text: head.toString('utf8', 0, readBytes), readBytes };
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false; // missing or out of reach marks nothing
  }
}
