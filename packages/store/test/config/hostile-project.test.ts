import childProcess, { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import fsPromises from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { loadConfig } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Whoever opens one of these to read waits for ever. */
const TRAPS = [
  '.codex/config.toml',
  '.codex/hooks.json',
  '.codex/rules/default.rules',
  '.codex/AGENTS.md',
  'sub/.codex/config.toml',
  '.env',
  'AGENTS.md',
  '.git/config',
  '.git/HEAD',
];

/** The names under `folder` that were opened, listed or run by anything but asking whether they exist. */
function watch(folder: string): { readonly opened: string[]; readonly started: unknown[] } {
  const [opened, started]: [string[], unknown[]] = [[], []];
  const note = (target: unknown): void => {
    const file = String(target);
    if (file.startsWith(folder)) opened.push(path.relative(folder, file));
  };
  for (const name of ['readFile', 'open', 'readdir', 'opendir', 'readlink', 'cp', 'copyFile'] as const) {
    const call = fsPromises[name] as (...given: readonly unknown[]) => Promise<unknown>;
    vi.spyOn(fsPromises, name).mockImplementation(((...given: readonly unknown[]) => {
      note(given[0]);
      return call(...given);
    }) as never);
  }
  for (const name of ['readFileSync', 'openSync', 'readdirSync', 'readFile', 'open', 'createReadStream'] as const) {
    const call = fs[name] as (...given: readonly unknown[]) => unknown;
    vi.spyOn(fs, name).mockImplementation(((...given: readonly unknown[]) => {
      note(given[0]);
      return call(...given);
    }) as never);
  }
  for (const name of ['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork'] as const) {
    vi.spyOn(childProcess, name).mockImplementation(((...given: readonly unknown[]) => {
      started.push(given);
      throw new Error('started');
    }) as never);
  }
  return { opened, started };
}

test.skipIf(process.platform === 'win32').each([
  ['undecided', ''],
  ['untrusted', '[projects."%"]\ntrust_level = "untrusted"\n'],
])('of a project that is %s nothing is opened and nothing is started [PROJ-30]', async (_title, settings) => {
  using home = temporaryFolder();
  using project = temporaryFolder();
  fs.writeFileSync(path.join(home.path, 'config.toml'), settings.replace('%', project.path));
  for (const name of TRAPS) {
    const file = path.join(project.path, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    execFileSync('mkfifo', [file]);
  }
  const seen = watch(project.path);
  const config = await loadConfig({
    home: home.path,
    cwd: path.join(project.path, 'sub'),
    overrides: [],
    environment: {},
  });
  expect(seen).toEqual({ opened: [], started: [] });
  expect(config.allProjectFolders.map((folder) => path.relative(project.path, folder.path))).toEqual([
    '.codex',
    'sub/.codex',
  ]);
});

test('of an untrusted worktree only the pointer file of git is read [PROJ-30]', async () => {
  using home = temporaryFolder();
  using project = temporaryFolder();
  fs.mkdirSync(path.join(project.path, '.codex'));
  fs.writeFileSync(path.join(project.path, '.codex/config.toml'), 'model = "x"');
  fs.writeFileSync(path.join(project.path, '.git'), 'gitdir: repository/worktrees/w\n');
  fs.mkdirSync(path.join(project.path, 'repository/worktrees/w'), { recursive: true });
  fs.writeFileSync(path.join(project.path, 'repository/worktrees/w/gitdir'), path.join(project.path, '.git'));
  const seen = watch(project.path);
  await loadConfig({ home: home.path, cwd: project.path, overrides: [], environment: {} });
  expect(seen).toEqual({ opened: ['.git', 'repository/worktrees/w/gitdir'], started: [] });
});

test('the watch of these tests sees what a trusted project is read for [PROJ-30]', async () => {
  using home = temporaryFolder();
  using project = temporaryFolder();
  fs.writeFileSync(path.join(home.path, 'config.toml'), `[projects."${project.path}"]\ntrust_level = "trusted"\n`);
  fs.mkdirSync(path.join(project.path, '.codex'));
  fs.writeFileSync(path.join(project.path, '.codex/config.toml'), 'model = "x"');
  fs.writeFileSync(path.join(project.path, '.codex/hooks.json'), '{}');
  const seen = watch(project.path);
  await loadConfig({ home: home.path, cwd: project.path, overrides: [], environment: {} });
  expect(seen).toEqual({ opened: ['.codex/config.toml', '.codex/hooks.json'], started: [] });
});
