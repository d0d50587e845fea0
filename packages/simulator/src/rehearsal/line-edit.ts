/** One line of one file, changed. `before` is the line as it stands in `lines`. */
export interface LineEdit {
  readonly path: string;
  readonly lines: readonly string[];
  /** From 0. */
  readonly lineIndex: number;
  readonly after: string;
}

export function lineBefore(edit: LineEdit): string {
  return edit.lines[edit.lineIndex] ?? '';
}

/** The same edit backwards: its patch undoes the other's. */
export function reverseEdit(edit: LineEdit): LineEdit {
  const lines = edit.lines.with(edit.lineIndex, edit.after);
  return { path: edit.path, lines, lineIndex: edit.lineIndex, after: lineBefore(edit) };
}

/** A patch with as much context as makes the place unambiguous. */
export function patchOf(edit: LineEdit): string {
  const { lines, lineIndex } = edit;
  let first = Math.max(0, lineIndex - 2);
  let last = Math.min(lines.length - 1, lineIndex + 2);
  // The first match wins when a patch is applied, so an equal block further up would be changed instead.
  while (firstOccurrence(lines, first, last) < first) {
    first = Math.max(0, first - 1);
    last = Math.min(lines.length - 1, last + 1);
  }
  const body: string[] = [];
  for (let index = first; index <= last; index += 1) {
    const line = lines[index] ?? '';
    if (index === lineIndex) body.push(`-${line}`, `+${edit.after}`);
    else body.push(` ${line}`);
  }
  return ['*** Begin Patch', `*** Update File: ${edit.path}`, '@@', ...body, '*** End Patch'].join('\n');
}

function firstOccurrence(lines: readonly string[], first: number, last: number): number {
  const block = lines.slice(first, last + 1);
  for (let start = 0; start < first; start += 1) {
    // Trimmed: patches also match lines that differ only in the white space around them.
    if (block.every((line, offset) => line.trim() === lines[start + offset]?.trim())) return start;
  }
  return first;
}
