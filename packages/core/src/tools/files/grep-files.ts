import type { JsonObject } from '@quire/protocol';
import { resolvePath } from '../../paths.ts';
import type { WorkspaceFiles } from '../../ports/workspace-files.ts';
import type { ArgumentReading } from '../call-arguments.ts';
import { collect, readCount, readOptionalText, readText, unusable } from './file-arguments.ts';
import { FileTool } from './file-tool.ts';

/** Files in an answer. Source: the peer. */
const LIMIT = { fallback: 100, max: 2_000 } as const;

interface GrepArguments {
  readonly pattern: string;
  readonly include: string | undefined;
  readonly path: string;
  readonly limit: number;
}

/** Finds files by their content. Source for arguments and output: the peer's `grep_files`. */
export function grepFiles(files: WorkspaceFiles): FileTool<GrepArguments> {
  return new FileTool({
    name: 'grep_files',
    description:
      'Lists the files that have a line matching a regular expression, one path per line, the most recently changed first. ' +
      'Hidden files and what .gitignore excludes are left out.',
    properties: {
      pattern: { type: 'string', description: 'The regular expression, in the syntax of ripgrep.' },
      include: {
        type: 'string',
        description: 'Glob that limits which files are searched, such as `*.ts` or `*.{c,h}`.',
      },
      path: { type: 'string', description: 'File or directory to search. Default: the working directory.' },
      limit: {
        type: 'number',
        description: `How many files to list at most: ${LIMIT.fallback} unless given, never more than ${LIMIT.max}.`,
      },
    },
    required: ['pattern'],
    read: readArguments,
    run: async (args, { settings, signal }) => {
      const found = await files.search({ ...args, cwd: settings.cwd }, { signal });
      if (found.kind === 'failed') return found;
      return found.value.length === 0
        ? { kind: 'nothing', text: 'No matches found.' }
        : { kind: 'text', text: found.value.join('\n') };
    },
  });
}

function readArguments(args: JsonObject, cwd: string): ArgumentReading<GrepArguments> {
  const reading = collect<Omit<GrepArguments, 'path'> & { readonly path: string | undefined }>({
    pattern: readText(args, 'pattern'),
    include: readOptionalText(args, 'include'),
    path: readOptionalText(args, 'path'),
    limit: readCount(args, 'limit', LIMIT),
  });
  if (reading.kind === 'invalid') return reading;
  const { include, path, limit } = reading.value;
  const pattern = reading.value.pattern.trim();
  if (pattern === '') return unusable('`pattern` must not be empty');
  const value = { pattern, include, path: resolvePath(cwd, path ?? '.'), limit: Math.min(limit, LIMIT.max) };
  return { kind: 'ok', value };
}
