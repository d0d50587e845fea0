import type { Attempt } from '../support/attempt.ts';

const HOOK = 'printf "#!/bin/sh\\n" > ';

/** Whatever makes git run something later, for somebody who is not confined. */
export const GIT: readonly Attempt[] = [
  { id: 'G01', title: 'a hook', steps: [`${HOOK}.git/hooks/pre-commit; chmod +x .git/hooks/pre-commit`] },
  { id: 'G02', title: 'a hook renamed into place', steps: [`${HOOK}hook && mv hook .git/hooks/pre-commit`] },
  { id: 'G03', title: 'core.fsmonitor', steps: ['printf "[core]\\n\\tfsmonitor = ./run\\n" >> .git/config'] },
  { id: 'G04', title: 'core.hooksPath through git itself', steps: ['git config core.hooksPath hooks'], needs: ['git'] },
  {
    id: 'G05',
    title: 'core.sshCommand, a pager and an alias through git itself',
    steps: ['git config core.sshCommand ./run; git config core.pager ./run; git config alias.st "!./run"'],
    needs: ['git'],
  },
  {
    id: 'G06',
    title: 'the configuration replaced by a renamed file',
    steps: ['cp .git/config new && echo "[core]" >> new && mv -f new .git/config'],
  },
  {
    id: 'G07',
    title: 'the configuration through a hard link',
    steps: ['ln .git/config link && echo "[core]" >> link'],
  },
  { id: 'G08', title: 'the configuration through a link', steps: ['ln -s .git/config link && echo "[core]" >> link'] },
  {
    id: 'G09',
    title: 'a filter in the attributes of the repository',
    steps: ['echo "* filter=run" > .git/info/attributes'],
  },
  { id: 'G10', title: 'objects from elsewhere', steps: ['echo /tmp > .git/objects/info/alternates'] },
  { id: 'G11', title: 'the current branch', steps: ['echo "ref: refs/heads/other" > .git/HEAD'] },
  { id: 'G12', title: 'the mode of a sample hook', steps: ['chmod +x .git/hooks/pre-commit.sample'] },
  {
    id: 'G13',
    title: '.git renamed and another in its place',
    steps: [`mv .git old; mkdir -p .git/hooks && ${HOOK}.git/hooks/pre-commit`],
  },
  {
    id: 'G14',
    title: '.git deleted and made anew',
    steps: [`rm -rf .git; mkdir -p .git/hooks && ${HOOK}.git/hooks/pre-commit`],
  },
  { id: 'G15', title: '.git replaced by a link', steps: ['mv .git old; mkdir other; ln -s other .git'] },
  { id: 'G16', title: '.git replaced by a pointer file', steps: ['mv .git old; echo "gitdir: other" > .git'] },
  {
    id: 'G17',
    title: '.git exchanged with another folder in one call',
    steps: [
      {
        perl: 'mkdir "$ROOT/other"; open(my $file, ">", "$ROOT/other/config"); close $file; my ($one, $two) = ("$ROOT/.git", "$ROOT/other"); sc("renameat2", -100, $one, -100, $two, 2);',
      },
    ],
  },
  {
    id: 'G18',
    title: 'git init where no repository is',
    prepare: 'rm -rf root/.git',
    steps: ['git init -q . 2>/dev/null; git config core.fsmonitor ./run'],
    needs: ['git'],
  },
  {
    id: 'G19',
    title: '.git made by hand where none is',
    prepare: 'rm -rf root/.git',
    steps: [`mkdir -p .git/hooks && ${HOOK}.git/hooks/pre-commit`],
  },
  {
    id: 'G20',
    title: 'a pointer file where no .git is',
    prepare: 'rm -rf root/.git',
    steps: ['mkdir other; echo "gitdir: other" > .git'],
  },
  {
    id: 'G21',
    title: 'a link where no .git is',
    prepare: 'rm -rf root/.git',
    steps: ['mkdir other; ln -s other .git'],
  },
  {
    id: 'G22',
    title: 'a folder prepared and renamed to .git where none is',
    prepare: 'rm -rf root/.git',
    steps: ['mkdir other; echo "[core]" > other/config; mv -T other .git'],
  },
  { id: 'G23', title: 'a hook of a repository in the root', steps: [`${HOOK}lib/.git/hooks/pre-commit`] },
  {
    id: 'G24',
    title: 'a repository in the root renamed with the folder above it, and another in its place',
    steps: [`mv lib moved; mkdir -p lib/.git/hooks && ${HOOK}lib/.git/hooks/pre-commit`],
  },
  {
    id: 'G25',
    title: 'a hook of a repository six folders deep',
    prepare: 'mkdir -p root/a/b/c/d/e/f/.git/hooks',
    steps: [`${HOOK}a/b/c/d/e/f/.git/hooks/pre-commit`],
  },
  {
    id: 'G26',
    title: 'a hook of a repository among dependencies',
    prepare: 'mkdir -p root/node_modules/package/.git/hooks',
    steps: [`${HOOK}node_modules/package/.git/hooks/pre-commit`],
  },
  {
    id: 'G27',
    title: 'a hook of a repository in a folder named dist',
    prepare: 'mkdir -p root/dist/.git/hooks',
    steps: [`${HOOK}dist/.git/hooks/pre-commit`],
  },
  {
    id: 'G28',
    title: 'the configuration of a submodule, where its pointer leads',
    steps: ['echo "[core]" >> .git/modules/sub/config'],
  },
  { id: 'G29', title: 'the pointer file of a submodule', steps: ['echo "gitdir: ../other" > sub/.git'] },
  {
    id: 'G30',
    title: 'the pointer file of a worktree, renamed over',
    steps: ['echo "gitdir: ../other" > new; mv -f new tree/.git'],
  },
  {
    id: 'G31',
    title: 'what the pointer of a worktree says of its repository',
    steps: ['echo ../../../other > .git/worktrees/tree/commondir'],
  },
  {
    id: 'G32',
    title: 'the repository of a worktree, elsewhere in the root',
    prepare:
      'rm -rf root/.git; mkdir -p root/store/worktrees/one root/store/hooks; echo ../.. > root/store/worktrees/one/commondir; echo "[core]" > root/store/config; echo "gitdir: $ROOT/store/worktrees/one" > root/.git',
    guards: ['root/store'],
    steps: [`${HOOK}store/hooks/pre-commit; echo "[core]" >> store/config`],
  },
  {
    id: 'G33',
    title: 'a folder of hooks in the root that the configuration names',
    prepare:
      'printf "\\thooksPath = githooks\\n" >> root/.git/config; mkdir root/githooks; echo kept > root/githooks/pre-push',
    guards: ['root/githooks'],
    steps: [`${HOOK}githooks/pre-commit`],
  },
  {
    id: 'G34',
    title: 'a folder of hooks that the configuration names and nobody has made yet',
    prepare: 'printf "\\thooksPath = githooks\\n" >> root/.git/config',
    guards: ['root/githooks'],
    steps: [`mkdir githooks; ${HOOK}githooks/pre-commit`],
  },
  {
    id: 'G35',
    title: 'a folder of hooks that is a link into the root',
    prepare:
      'rm -rf root/.git/hooks; mkdir root/githooks; echo kept > root/githooks/pre-push; ln -s ../githooks root/.git/hooks',
    guards: ['root/githooks'],
    steps: [`${HOOK}githooks/pre-commit`],
  },
  {
    id: 'G36',
    title: 'a file of the root that the configuration includes',
    prepare: 'printf "[include]\\n\\tpath = ../.gitconfig\\n" >> root/.git/config; echo "[core]" > root/.gitconfig',
    guards: ['root/.gitconfig'],
    steps: ['printf "\\tfsmonitor = ./run\\n" >> .gitconfig'],
  },
  {
    id: 'G37',
    title: '.git is a link into the root, and is replaced',
    prepare: 'mv root/.git root/real; ln -s real root/.git',
    guards: ['root/real'],
    steps: [`rm -f .git; mkdir -p .git/hooks && ${HOOK}.git/hooks/pre-commit`],
  },
  {
    id: 'G38',
    title: '.git is a link into the root, and what it points to is changed',
    prepare: 'mv root/.git root/real; ln -s real root/.git',
    guards: ['root/real'],
    steps: [`${HOOK}real/hooks/pre-commit`],
  },
  {
    id: 'G39',
    title: 'a repository that somebody makes between two commands',
    steps: ['true', { sh: 'mkdir -p fresh/.git/hooks', by: 'outside' }, `${HOOK}fresh/.git/hooks/pre-commit`],
  },
  {
    id: 'G40',
    title: 'a repository without a work tree in the root',
    prepare:
      'mkdir -p root/store.git/hooks root/store.git/objects root/store.git/refs; echo "ref: refs/heads/main" > root/store.git/HEAD; echo "[core]" > root/store.git/config',
    guards: ['root/store.git'],
    steps: [`${HOOK}store.git/hooks/post-update`],
  },
  {
    id: 'G41',
    title: 'the repository above the root',
    prepare: 'mkdir -p .git/hooks',
    steps: [`${HOOK}"$PLACE/.git/hooks/pre-commit"`],
  },
  {
    id: 'G42',
    title: 'a pointer that leads outside the root',
    prepare: 'echo "gitdir: ../../outside/.git" > root/sub/.git',
    steps: ['echo "[core]" >> "$OUT/.git/config"'],
  },
];
