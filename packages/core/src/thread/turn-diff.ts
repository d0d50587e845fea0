import { type PlannedFile, unifiedDiff } from '../patch/index.ts';
import { relativeTo } from '../paths.ts';

/** Every file that patches touched in one turn, against its state at first touch. */
export class TurnDiff {
  readonly #files = new Map<string, { readonly before: string | undefined; after: string | undefined }>();

  record(changes: readonly PlannedFile[]): void {
    for (const { path, before, after } of changes) {
      const known = this.#files.get(path);
      if (known === undefined) this.#files.set(path, { before, after });
      else known.after = after;
    }
  }

  /** One unified diff with paths relative to `root`; `undefined` when nothing differs. */
  render(root: string): string | undefined {
    const parts: string[] = [];
    for (const [path, { before, after }] of [...this.#files].sort(([left], [right]) => (left < right ? -1 : 1))) {
      if (before !== after) parts.push(unifiedDiff({ path: relativeTo(root, path), before, after, contextLines: 3 }));
    }
    return parts.length === 0 ? undefined : parts.join('');
  }
}
