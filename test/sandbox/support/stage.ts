import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Attempt } from './attempt.ts';
import { type Neighbour, startServer, startVictim } from './neighbour.ts';
import { differences, takeSnapshot } from './snapshot.ts';

/** The place of one attempt: a root that can be written, and around it what nobody may touch. */
export interface Stage extends AsyncDisposable {
  readonly place: string;
  readonly root: string;
  readonly variables: Readonly<Record<string, string>>;
  /** What the attempt achieved outside, one line each; nothing: it was contained. Ends what lives beside it. */
  traces(): Promise<readonly string[]>;
}

const FILES: Readonly<Record<string, string>> = {
  'root/src/file.txt': 'text\n',
  'root/.git/HEAD': 'ref: refs/heads/main\n',
  'root/.git/config': '[core]\n\trepositoryformatversion = 0\n\tbare = false\n',
  'root/.git/hooks/pre-commit.sample': '#!/bin/sh\n',
  'root/.git/info/exclude': '\n',
  'root/.git/objects/info/packs': '\n',
  'root/.git/refs/heads/.keep': '',
  'root/.git/modules/sub/config': '[core]\n',
  'root/.git/modules/sub/HEAD': 'ref: refs/heads/main\n',
  'root/.git/worktrees/tree/HEAD': 'ref: refs/heads/tree\n',
  'root/.git/worktrees/tree/commondir': '../..\n',
  'root/sub/.git': 'gitdir: ../.git/modules/sub\n',
  'root/lib/.git/HEAD': 'ref: refs/heads/main\n',
  'root/lib/.git/config': '[core]\n',
  'root/lib/.git/hooks/pre-commit.sample': '#!/bin/sh\n',
  'root/lib/code.txt': 'code\n',
  'root-more/kept': 'kept\n',
  'outside/kept': 'kept\n',
  'outside/folder/kept': 'kept\n',
  'outside/.git/config': '[core]\n',
  'home/.bashrc': '# shell\n',
  'home/.ssh/authorized_keys': '# keys\n',
  'home/.codex/auth.json': '{}\n',
  'home/.codex/config.toml': '\n',
  'home/.config/autostart/kept.desktop': '\n',
  'AGENTS.md': 'Read the tests first.\n',
};

export async function setStage(attempt: Attempt): Promise<Stage> {
  const place = realpathSync(mkdtempSync(join(tmpdir(), 'quire-escape-')));
  const root = join(place, 'root');
  let neighbour: Neighbour | undefined;
  try {
    build(place);
    const variables = { PLACE: place, ROOT: root, OUT: join(place, 'outside'), HOME: join(place, 'home') };
    if (attempt.prepare !== undefined) prepare(attempt.prepare, place, variables);
    neighbour = await startBeside(attempt, place);
    const roots = (attempt.roots ?? ['root']).filter((path) => !path.includes('/'));
    const sights = { roots, guards: attempt.guards ?? [] };
    const before = takeSnapshot(place, sights);
    return {
      place,
      root,
      variables: { ...variables, ...neighbour?.variables },
      traces: async () => [
        ...((await neighbour?.noticed()) ?? []),
        ...differences(before, takeSnapshot(place, sights)).map((line) => line.replaceAll(place, '…')),
        ...said(root),
      ],
      [Symbol.asyncDispose]: () => strike(place, neighbour),
    };
  } catch (error) {
    await strike(place, neighbour);
    throw error;
  }
}

function build(place: string): void {
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(place, path)), { recursive: true });
    writeFileSync(join(place, path), text);
  }
  mkdirSync(join(place, 'root/tree'));
  writeFileSync(join(place, 'root/tree/.git'), `gitdir: ${place}/root/.git/worktrees/tree\n`);
  symlinkSync('../outside', join(place, 'root/way-out'));
}

function prepare(script: string, place: string, variables: Readonly<Record<string, string>>): void {
  const { status, stderr } = spawnSync('/bin/sh', ['-ec', script], {
    cwd: place,
    env: { ...variables, PATH: process.env['PATH'] },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the place can not be made ready: ${stderr}`);
}

async function startBeside({ beside }: Attempt, place: string): Promise<Neighbour | undefined> {
  if (beside === 'server') return startServer(place, basename(place));
  return beside === 'victim' ? startVictim(place) : undefined;
}

/** The word of the attempt itself, read from outside. */
function said(root: string): readonly string[] {
  return existsSync(join(root, 'got')) ? ['a call was let through'] : [];
}

async function strike(place: string, neighbour: Neighbour | undefined): Promise<void> {
  await neighbour?.[Symbol.asyncDispose]();
  rmSync(place, { recursive: true, force: true });
}
