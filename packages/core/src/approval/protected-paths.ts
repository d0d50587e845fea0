/** Folders of git, repositories' or worktree pointers, stay read-only wherever they are below a writable root. */
export const PROTECTED_ANYWHERE: readonly string[] = ['.git'];
/** Configuration of agents stays read-only at the top of every writable root. */
export const PROTECTED_AT_ROOT: readonly string[] = ['.codex', '.agents', '.quire'];

/**
 * Whether `path` (relative to a writable root, symbolic links resolved) stays read-only all the same. Letters count
 * without their case, because some file systems take `.GIT` for `.git`.
 */
export function isProtectedPath(path: string): boolean {
  const segments = path.toLowerCase().split('/');
  return (
    segments.some((segment) => PROTECTED_ANYWHERE.includes(segment)) || PROTECTED_AT_ROOT.includes(segments[0] ?? '')
  );
}
