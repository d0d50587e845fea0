import type { FileChangeSummary } from '@quire/protocol';
import { resolvePath } from '../paths.ts';
import type { FileEdit, FileReading } from '../ports/patch-files.ts';
import { applyUpdate } from './apply-update.ts';
import type { ParsedPatch, PatchSection } from './parse-patch.ts';
import { PatchError } from './patch-error.ts';
import { diffHunks } from './unified-diff.ts';

/** Longest diff text in a change summary, in characters; what is beyond is counted, not shown. */
const MAX_DIFF_CHARACTERS = 200_000;

/** The text of one file before and after a patch; `undefined` means that it does not exist then. */
export interface PlannedFile {
  /** Absolute. */
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** Absolute path of the file that was moved here. */
  readonly movedFrom?: string;
}

/** What a patch would do, worked out without writing anything. */
export interface PatchPlan {
  /** The net effect on disk. New contents come before deletions, so a move never loses the text. */
  readonly edits: readonly FileEdit[];
  readonly changes: readonly FileChangeSummary[];
  /** One entry per file that exists before or after, in the order of first mention; for the turn diff. */
  readonly files: readonly PlannedFile[];
  /** Absolute paths that the patch names, move targets included. Approval is about these. */
  readonly touchedPaths: readonly string[];
  /** What the model is told after the edits were applied. */
  readonly successText: string;
}

/**
 * Verifies a patch against the files and plans its edits. Sections are applied in order in memory, so a
 * later section sees the result of an earlier one. Each file is read once.
 *
 * Error: PatchError 'empty-patch', 'context-not-found', 'lines-not-found' or 'file-unusable'; whatever
 * `read` rejects with.
 */
export async function planPatch(
  patch: ParsedPatch,
  options: {
    /** Absolute folder for relative paths. */
    readonly cwd: string;
    readonly read: (absolutePath: string) => Promise<FileReading>;
  },
): Promise<PatchPlan> {
  if (patch.sections.length === 0) throw new PatchError('empty-patch', 'patch rejected: empty patch');
  const files = new DraftFiles(options.read);
  for (const section of patch.sections) await applySection(files, section, options.cwd);
  const drafts = [...files.drafts()];
  return {
    edits: editsOf(drafts),
    changes: changesOf(drafts),
    files: drafts.filter((draft) => draft.before !== undefined || draft.after !== undefined).map(toPlannedFile),
    touchedPaths: drafts.map((draft) => draft.path),
    successText: successText(patch.sections),
  };
}

/** A file as the sections so far have left it. */
interface Draft {
  readonly path: string;
  readonly reading: FileReading;
  /** `undefined` also for what is on disk but is not text. */
  readonly before: string | undefined;
  after: string | undefined;
  /** The path whose text on disk `after` descends from; `undefined` for text that the patch brought. */
  origin: string | undefined;
}

class DraftFiles {
  readonly #read: (absolutePath: string) => Promise<FileReading>;
  readonly #drafts = new Map<string, Draft>();

  constructor(read: (absolutePath: string) => Promise<FileReading>) {
    this.#read = read;
  }

  async open(path: string): Promise<Draft> {
    const known = this.#drafts.get(path);
    if (known !== undefined) return known;
    const reading = await this.#read(path);
    const text = reading.kind === 'text' ? reading.text : undefined;
    const origin = text === undefined ? undefined : path;
    const draft: Draft = { path, reading, before: text, after: text, origin };
    this.#drafts.set(path, draft);
    return draft;
  }

  drafts(): Iterable<Draft> {
    return this.#drafts.values();
  }
}

async function applySection(files: DraftFiles, section: PatchSection, cwd: string): Promise<void> {
  const draft = await files.open(resolvePath(cwd, section.path));
  switch (section.kind) {
    case 'add':
      put(draft, { text: section.text, origin: undefined });
      return;
    case 'delete':
      requireText(draft, 'Failed to read');
      draft.after = undefined;
      draft.origin = undefined;
      return;
    case 'update': {
      const text = requireText(draft, 'Failed to read file to update');
      const updated = applyUpdate({ path: draft.path, text, chunks: section.chunks });
      const target = section.moveTo === undefined ? draft : await files.open(resolvePath(cwd, section.moveTo));
      const { origin } = draft;
      draft.after = undefined;
      draft.origin = undefined;
      put(target, { text: updated, origin });
    }
  }
}

function put(draft: Draft, content: { readonly text: string; readonly origin: string | undefined }): void {
  if (draft.reading.kind === 'directory') {
    throw new PatchError('file-unusable', `Failed to write file ${draft.path}: it is a directory`, draft);
  }
  draft.after = content.text;
  draft.origin = content.origin;
}

function requireText(draft: Draft, failure: string): string {
  if (draft.after !== undefined) return draft.after;
  throw new PatchError('file-unusable', `${failure} ${draft.path}: ${unusableReason(draft)}`, draft);
}

function unusableReason(draft: Draft): string {
  switch (draft.reading.kind) {
    case 'directory':
      return 'it is a directory';
    case 'unreadable':
      return draft.reading.reason;
    case 'missing':
      return 'No such file or directory';
    case 'text':
      return 'an earlier section of this patch removes it';
  }
}

function editsOf(drafts: readonly Draft[]): readonly FileEdit[] {
  const writes: FileEdit[] = [];
  const deletions: FileEdit[] = [];
  for (const { path, reading, before, after } of drafts) {
    if (after === undefined && reading.kind !== 'missing') deletions.push({ kind: 'delete', path });
    if (after !== undefined && after !== before) writes.push({ kind: 'write', path, text: after });
  }
  // A file that makes room for a folder of the same name has to go first.
  const makesRoom = (edit: FileEdit): boolean => writes.some((write) => write.path.startsWith(`${edit.path}/`));
  return [...deletions.filter((edit) => makesRoom(edit)), ...writes, ...deletions.filter((edit) => !makesRoom(edit))];
}

function changesOf(drafts: readonly Draft[]): readonly FileChangeSummary[] {
  const textOnDisk = new Map(drafts.map((draft) => [draft.path, draft.before]));
  const movedAway = new Set(drafts.filter((draft) => draft.origin !== draft.path).map((draft) => draft.origin));
  const changes: FileChangeSummary[] = [];
  for (const { path, before, after, origin } of drafts) {
    if (after === undefined) {
      if (before !== undefined && !movedAway.has(path))
        changes.push(summarize({ path, kind: 'delete', before, after }));
    } else if (origin === undefined) {
      const replaced = movedAway.has(path) ? undefined : before;
      changes.push(summarize({ path, kind: 'add', before: replaced, after }));
    } else {
      const moved = origin === path ? {} : { movedFrom: origin };
      changes.push({ ...summarize({ path, kind: 'update', before: textOnDisk.get(origin), after }), ...moved });
    }
  }
  return changes;
}

function summarize(change: {
  readonly path: string;
  readonly kind: FileChangeSummary['kind'];
  readonly before: string | undefined;
  readonly after: string | undefined;
}): FileChangeSummary {
  const { text, addedLines, removedLines } = diffHunks(change);
  return { path: change.path, kind: change.kind, addedLines, removedLines, diff: cutDiff(text) };
}

function cutDiff(diff: string): string {
  if (diff.length <= MAX_DIFF_CHARACTERS) return diff;
  const kept = diff.slice(0, diff.lastIndexOf('\n', MAX_DIFF_CHARACTERS) + 1);
  const hiddenLines = diff.slice(kept.length).split('\n').length - 1;
  return `${kept}[${hiddenLines} more lines of this diff are not shown]\n`;
}

function toPlannedFile({ path, before, after, origin }: Draft): PlannedFile {
  const moved = origin === undefined || origin === path ? {} : { movedFrom: origin };
  return { path, before, after, ...moved };
}

/** Source of the form: the peer's program, 0.169: groups A, M, D; a moved file under its new path. */
function successText(sections: readonly PatchSection[]): string {
  const added = sections.filter((section) => section.kind === 'add').map(({ path }) => `A ${path}\n`);
  const modified = sections.flatMap((section) =>
    section.kind === 'update' ? [`M ${section.moveTo ?? section.path}\n`] : [],
  );
  const deleted = sections.filter((section) => section.kind === 'delete').map(({ path }) => `D ${path}\n`);
  return ['Success. Updated the following files:\n', ...added, ...modified, ...deleted].join('');
}
