import type { DirectoryEntry, WorkspaceFiles } from '../../ports/workspace-files.ts';
import { utf8Prefix } from '../../utf8.ts';
import { collect, readAbsolutePath, readCount } from './file-arguments.ts';
import { type FileAnswer, FileTool } from './file-tool.ts';

/** Source: the peer. */
const DEFAULTS = { offset: 1, limit: 25, depth: 2 } as const;
const MAX_NAME_BYTES = 500;
const SUFFIXES: Readonly<Record<DirectoryEntry['type'], string>> = { file: '', directory: '/', link: '@', other: '?' };

interface ListArguments {
  readonly path: string;
  readonly offset: number;
  readonly limit: number;
  readonly depth: number;
}

/** Source for arguments and output: the peer's `list_dir`. */
export function listDir(files: WorkspaceFiles): FileTool<ListArguments> {
  return new FileTool<ListArguments>({
    name: 'list_dir',
    description:
      'Lists what is in a directory and below it, indented by level: `/` marks directories, `@` symbolic links, `?` what is neither of these nor a file.',
    properties: {
      dir_path: { type: 'string', description: 'Absolute path of the directory.' },
      offset: { type: 'number', description: `First entry to show, counted from 1. Default: ${DEFAULTS.offset}.` },
      limit: { type: 'number', description: `How many entries to show at most. Default: ${DEFAULTS.limit}.` },
      depth: { type: 'number', description: `How many levels to descend. Default: ${DEFAULTS.depth}.` },
    },
    required: ['dir_path'],
    read: (args) =>
      collect<ListArguments>({
        path: readAbsolutePath(args, 'dir_path'),
        offset: readCount(args, 'offset', { fallback: DEFAULTS.offset }),
        limit: readCount(args, 'limit', { fallback: DEFAULTS.limit }),
        depth: readCount(args, 'depth', { fallback: DEFAULTS.depth }),
      }),
    run: async (args, { signal }) => {
      const listed = await files.listDirectory(args.path, { depth: args.depth, signal });
      return listed.kind === 'failed' ? listed : renderEntries(listed.value, args);
    },
  });
}

function renderEntries(entries: readonly DirectoryEntry[], { path, offset, limit }: ListArguments): FileAnswer {
  if (offset > Math.max(1, entries.length)) {
    const count = entries.length === 1 ? '1 entry' : `${entries.length} entries`;
    return { kind: 'failed', reason: `\`offset\` is ${offset} and ${path} has ${count}` };
  }
  const sorted = [...entries].sort((left, right) => compareCodePoints(left.path, right.path));
  const shown = sorted.slice(offset - 1, offset - 1 + limit);
  const lines = [`Absolute path: ${path}`, ...shown.map(entryLine)];
  if (offset - 1 + shown.length < entries.length) lines.push(`More than ${shown.length} entries found`);
  return { kind: 'text', text: lines.join('\n') };
}

function entryLine({ path, type }: DirectoryEntry): string {
  const parts = path.split('/');
  const name = utf8Prefix(parts.at(-1) ?? '', MAX_NAME_BYTES);
  return `${'  '.repeat(parts.length - 1)}${name}${SUFFIXES[type]}`;
}

/** The order of their UTF-8 bytes. */
function compareCodePoints(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const [a, b] = [left.charCodeAt(index), right.charCodeAt(index)];
    if (a !== b) return sortKey(a) - sortKey(b);
  }
  return left.length - right.length;
}

/** Surrogates stand for code points above all that one unit can say. */
function sortKey(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
