import { execFileSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Git with nothing of the machine's configuration. */
export function git(root: string, ...args: string[]): string {
  return execFileSync('git', args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: '/nonexistent',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@example.com',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@example.com',
    },
  });
}

export function initRepository(root: string): void {
  mkdirSync(root, { recursive: true });
  git(root, 'init', '-q', '-b', 'main');
}

/** Makes the directories that are needed, too. */
export function put(root: string, path: string, content: string | Buffer, mode = 0o644): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
  chmodSync(join(root, path), mode);
}

export function commitAll(root: string, title: string): string {
  git(root, 'add', '-A');
  git(root, 'commit', '-q', '--allow-empty', '-m', title);
  return git(root, 'rev-parse', 'HEAD').trim();
}

/** Every file below a directory but `.git`: kind, permissions and content. */
export function filesOf(root: string): Record<string, string> {
  return describeTree(root, { skips: '.git', withTimes: false });
}

/** Every file and directory of `.git` with its content and the time it was changed. */
export function gitStateOf(root: string): Record<string, string> {
  return describeTree(join(root, '.git'), { skips: undefined, withTimes: true });
}

function describeTree(
  root: string,
  options: { readonly skips: string | undefined; readonly withTimes: boolean },
): Record<string, string> {
  const found: Record<string, string> = {};
  const visit = (directory: Buffer): void => {
    for (const name of readdirSync(directory, { encoding: 'buffer' })) {
      const path = Buffer.concat([directory, Buffer.from('/'), name]);
      if (name.toString() === options.skips) continue;
      const stats = lstatSync(path, { bigint: true });
      const key = path.toString('latin1').slice(Buffer.from(root).length + 1);
      const time = options.withTimes ? ` ${stats.mtimeNs} ${stats.ctimeNs}` : '';
      const mode = (Number(stats.mode) & 0o7777).toString(8);
      if (stats.isDirectory()) {
        if (options.withTimes) found[`${key}/`] = `directory ${mode}${time}`;
        visit(path);
      } else if (stats.isSymbolicLink()) found[key] = `link ${readlinkSync(path)}${time}`;
      else if (stats.isFile()) found[key] = `file ${mode}${time} ${readFileSync(path).toString('latin1')}`;
    }
  };
  visit(Buffer.from(root));
  return found;
}
