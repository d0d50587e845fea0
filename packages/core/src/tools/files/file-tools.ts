import type { WorkspaceFiles } from '../../ports/workspace-files.ts';
import type { Tool } from '../tool.ts';
import { grepFiles } from './grep-files.ts';
import { listDir } from './list-dir.ts';
import { readFile } from './read-file.ts';

/** The tools that look at files, in the order in which they are offered. */
export function createFileTools(files: WorkspaceFiles): readonly Tool[] {
  return [grepFiles(files), readFile(files), listDir(files)];
}
