import type { ThreadSettings } from '@quire/core';
import { describe, expect, test } from 'vitest';
import type { Files } from '../../conformance/patch/patch-table.js';
import { applyInForm, PATCH_FORMS } from './support/patch-forms.ts';

const CONFINED: Partial<ThreadSettings> = {
  sandbox: {
    mode: 'workspace-write',
    writableRoots: [],
    networkAccess: false,
    excludeTmpdirEnvVar: true,
    excludeSlashTmp: true,
  },
};
/** Those whose thread lives in the folder of the patch. */
const FORMS = PATCH_FORMS.filter((form) => form.threadFolder === undefined);

function patchOf(...lines: readonly string[]): string {
  return ['*** Begin Patch', ...lines, '*** End Patch'].join('\n');
}

interface Attempt {
  readonly title: string;
  readonly files?: Files;
  readonly outside?: Files;
  readonly patch: string;
  /** How the reason begins. */
  readonly reason: string;
}

const OUTSIDE = 'is outside of the project';
const PROTECTED = 'is in a protected folder';

const ATTEMPTS: readonly Attempt[] = [
  {
    title: 'a path with two dots',
    patch: patchOf('*** Add File: ../new', '+x'),
    reason: `{around}/new ${OUTSIDE}`,
  },
  {
    title: 'an absolute path',
    outside: { victim: 'old\n' },
    patch: patchOf('*** Delete File: {root}/../victim'),
    reason: `{around}/victim ${OUTSIDE}`,
  },
  {
    title: 'a link to a file',
    files: { link: { linkTo: '../victim' } },
    outside: { victim: 'old\n' },
    patch: patchOf('*** Update File: link', '@@', '-old', '+new'),
    reason: `{around}/victim ${OUTSIDE}`,
  },
  {
    title: 'a link to a folder',
    files: { link: { linkTo: '../other' } },
    outside: { 'other/victim': 'old\n' },
    patch: patchOf('*** Update File: link/victim', '@@', '-old', '+new'),
    reason: `{around}/other/victim ${OUTSIDE}`,
  },
  {
    title: 'a link to what is not there yet',
    files: { link: { linkTo: '../new' } },
    patch: patchOf('*** Add File: link', '+x'),
    reason: `{around}/new ${OUTSIDE}`,
  },
  {
    title: 'a link over links, into a folder not there yet',
    files: { a: { linkTo: 'b' }, b: { linkTo: '../new-folder' } },
    patch: patchOf('*** Add File: a/x/y', '+x'),
    reason: `{around}/new-folder/x/y ${OUTSIDE}`,
  },
  {
    title: 'the target of a move',
    files: { f: 'a\n', link: { linkTo: '..' } },
    patch: patchOf('*** Update File: f', '*** Move to: link/g', '@@', ' a'),
    reason: `{around}/g ${OUTSIDE}`,
  },
  {
    title: 'a link outside that leads inside, to delete',
    files: { f: 'a\n' },
    outside: { link: { linkTo: 'work/f' } },
    patch: patchOf('*** Delete File: ../link'),
    reason: `{around}/link ${OUTSIDE}`,
  },
  {
    title: 'a link outside that leads inside, to move away',
    files: { f: 'a\n' },
    outside: { link: { linkTo: 'work/f' } },
    patch: patchOf('*** Update File: ../link', '*** Move to: g', '@@', ' a'),
    reason: `{around}/link ${OUTSIDE}`,
  },
  {
    title: 'one file of several',
    files: { f: 'a\n' },
    patch: patchOf('*** Update File: f', '@@', '-a', '+A', '*** Add File: ../new', '+x'),
    reason: `{around}/new ${OUTSIDE}`,
  },
  {
    title: 'a hook of git',
    files: { '.git/hooks/pre-commit': 'old\n' },
    patch: patchOf('*** Add File: .git/hooks/pre-commit', '+x'),
    reason: `{root}/.git/hooks/pre-commit ${PROTECTED}`,
  },
  {
    title: 'a hook of git behind a link',
    files: { '.git/config': 'old\n', innocent: { linkTo: '.git' } },
    patch: patchOf('*** Update File: innocent/config', '@@', '-old', '+new'),
    reason: `{root}/.git/config ${PROTECTED}`,
  },
  {
    title: "the agent's configuration",
    patch: patchOf('*** Add File: .codex/config.toml', '+x'),
    reason: `{root}/.codex/config.toml ${PROTECTED}`,
  },
];

describe('a patch that would write where it may not is rejected as a whole, in every form [PATCH-54]', () => {
  test.each(ATTEMPTS.map((each) => [each.title, each] as const))('%s', async (_title, attempt) => {
    const { files = {}, outside = {}, patch, reason } = attempt;
    for (const form of FORMS) {
      const result = await applyInForm(form, { patch, files, outside, settings: CONFINED });
      expect({ files: result.files, outside: result.outside }, form.title).toEqual({ files, outside });
      expect(String(result.output).slice(0, 'patch rejected: '.length + reason.length)).toBe(
        `patch rejected: ${reason}`,
      );
      expect(result.item).toMatchObject({ kind: 'file-change', status: 'declined' });
    }
  });
});

test('a patch to a folder is refused with its name, and nothing is written [PATCH-55]', async () => {
  const files = { f: 'a\n', 'd/x': '1\n' };
  const updating = patchOf('*** Update File: f', '@@', '-a', '+A', '*** Update File: d', '@@', '-1', '+2');
  for (const form of PATCH_FORMS) {
    expect(await applyInForm(form, { patch: updating, files }), form.title).toMatchObject({
      files,
      output: 'apply_patch verification failed: Failed to read file to update {root}/d: it is a directory',
      item: { kind: 'tool-error' },
    });
  }
});

test('people are shown what changes in each file, also when it is refused [PATCH-56]', async () => {
  const files = { f: 'a\r\nb', g: 'old\n', h: 'x\n' };
  const patch = patchOf(
    '*** Update File: f',
    '@@',
    '-b',
    '+B',
    '*** Add File: n',
    '+new',
    '*** Delete File: g',
    '*** Update File: h',
    '*** Move to: i',
    '@@',
    '-x',
    '+y',
  );
  const changes = [
    {
      path: '{root}/f',
      kind: 'update',
      addedLines: 1,
      removedLines: 1,
      diff: '@@ -1,2 +1,2 @@\n a\r\n-b\n\\ No newline at end of file\n+B\n\\ No newline at end of file\n',
    },
    { path: '{root}/n', kind: 'add', addedLines: 1, removedLines: 0, diff: '@@ -0,0 +1 @@\n+new\n' },
    { path: '{root}/g', kind: 'delete', addedLines: 0, removedLines: 1, diff: '@@ -1 +0,0 @@\n-old\n' },
    {
      path: '{root}/i',
      kind: 'update',
      movedFrom: '{root}/h',
      addedLines: 1,
      removedLines: 1,
      diff: '@@ -1 +1 @@\n-x\n+y\n',
    },
  ];
  for (const form of PATCH_FORMS) {
    const { item } = await applyInForm(form, { patch, files });
    expect(item, form.title).toEqual({ kind: 'file-change', id: 'c1', changes, status: 'completed' });
  }
  const [first] = PATCH_FORMS;
  const readOnly = { sandbox: { ...CONFINED.sandbox, mode: 'read-only' } } as Partial<ThreadSettings>;
  const refused = first === undefined ? undefined : await applyInForm(first, { patch, files, settings: readOnly });
  expect(refused).toMatchObject({ files, item: { changes, status: 'declined' } });
});
