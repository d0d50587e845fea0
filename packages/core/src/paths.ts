/** POSIX path arithmetic, pure: core may not ask the machine. */

/** `path` as an absolute path without `.`, `..` and doubled slashes; a relative one starts at the absolute `base`. */
export function resolvePath(base: string, path: string): string {
  const joined = path.startsWith('/') ? path : `${base}/${path}`;
  const parts: string[] = [];
  for (const part of joined.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** True when `path` is `folder` or lies below it. Both absolute and normal. */
export function isInside(folder: string, path: string): boolean {
  if (folder === '/') return path.startsWith('/');
  return path === folder || path.startsWith(`${folder}/`);
}

/** `path` relative to `folder` when inside it, else `path` itself. */
export function relativeTo(folder: string, path: string): string {
  if (path === folder) return '.';
  const prefix = folder === '/' ? '/' : `${folder}/`;
  return path.startsWith(prefix) ? path.slice(prefix.length) : path;
}
