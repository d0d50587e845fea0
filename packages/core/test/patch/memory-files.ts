import { type PatchPlan, parsePatch, planPatch } from '../../src/patch/index.ts';
import type { FileReading } from '../../src/ports/patch-files.ts';

/** Files below `/w`, by relative path. A folder exists if a file is in it. */
export type Files = Readonly<Record<string, string>>;

function readFrom(files: Files): (path: string) => Promise<FileReading> {
  return async (path) => {
    const relative = path.replace(/^\/w\//, '');
    const text = files[relative];
    if (text !== undefined) return { kind: 'text', text };
    const isFolder = Object.keys(files).some((name) => name.startsWith(`${relative}/`));
    return { kind: isFolder ? 'directory' : 'missing' };
  };
}

export function plan(patch: string, files: Files): Promise<PatchPlan> {
  return planPatch(parsePatch(patch), { cwd: '/w', read: readFrom(files) });
}

export function filesAfter(files: Files, { edits }: PatchPlan): Files {
  const after = new Map(Object.entries(files));
  for (const edit of edits) {
    const name = edit.path.replace(/^\/w\//, '');
    if (edit.kind === 'delete') after.delete(name);
    else after.set(name, edit.text);
  }
  return Object.fromEntries(after);
}

export function patchOf(...lines: readonly string[]): string {
  return ['*** Begin Patch', ...lines, '*** End Patch'].join('\n');
}

/** The text of file `f` after an update whose chunk lines are given. */
export async function updated(text: string, ...lines: readonly string[]): Promise<string | undefined> {
  const files = { f: text };
  return filesAfter(files, await plan(patchOf('*** Update File: f', ...lines), files))['f'];
}
