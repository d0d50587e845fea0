import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readProjectInstructions } from '@quire/host';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test('user and project files are joined from the root down to the directory [HOST-50]', async () => {
  await using project = await writeProject({
    'home/AGENTS.md': '\n user text \n',
    'AGENTS.md': 'above the root',
    'repo/.git/HEAD': '',
    'repo/AGENTS.md': 'root\n',
    'repo/a/b/AGENTS.md': 'leaf\n',
  });
  expect(await project.read({ cwd: 'repo/a/b' })).toEqual({
    user: { path: project.at('home/AGENTS.md'), text: 'user text' },
    documents: [
      { path: project.at('repo/AGENTS.md'), text: 'root\n', truncatedBytes: 0 },
      { path: project.at('repo/a/b/AGENTS.md'), text: 'leaf\n', truncatedBytes: 0 },
    ],
    text: 'user text\n\n--- project-doc ---\n\nroot\n\n\nleaf\n',
    notices: [],
  });
});

test('without any file there is no text [HOST-50]', async () => {
  await using project = await writeProject({ 'repo/.git/HEAD': '' });
  expect(await project.read({ cwd: 'repo' })).toEqual({ user: undefined, documents: [], text: undefined, notices: [] });
  expect((await project.read({ cwd: 'missing/directory' })).text).toBeUndefined();
});

test('an override comes first, then the usual name, then fallbacks in order [HOST-51]', async () => {
  await using project = await writeProject({
    'home/AGENTS.override.md': ' \n',
    'home/AGENTS.md': 'user',
    'repo/.git/HEAD': '',
    'repo/AGENTS.override.md': 'override',
    'repo/AGENTS.md': 'hidden',
    'repo/a/SECOND.md': 'hidden',
    'repo/a/FIRST.md': 'fallback',
    'repo/a/b/AGENTS.md/not-a-file': '',
    'repo/a/b/SECOND.md': 'second',
  });
  const found = await project.read({ cwd: 'repo/a/b', fallbackFilenames: ['FIRST.md', 'SECOND.md'] });
  expect(found.text).toBe('user\n\n--- project-doc ---\n\noverride\n\nfallback\n\nsecond');
});

test('the root is where a marker is; without one only the directory itself counts [HOST-52]', async () => {
  await using project = await writeProject({
    'top/root.marker': '',
    'top/AGENTS.md': 'top',
    'top/in/AGENTS.md': 'in',
  });
  const texts = [['root.marker'], ['no-such-marker'], []].map(
    async (rootMarkers) => (await project.read({ cwd: 'top/in', rootMarkers })).text,
  );
  expect(await Promise.all(texts)).toEqual(['top\n\nin', 'in', 'in']);
});

test('project files share one size, cut between characters, and each cut is told to user and model [HOST-53]', async () => {
  await using project = await writeProject({
    'home/AGENTS.md': 'user text does not count',
    'repo/.git/HEAD': '',
    'repo/AGENTS.md': '12345',
    'repo/a/AGENTS.md': ' \n ',
    'repo/a/b/AGENTS.md': 'ab€€€',
    'repo/a/b/c/AGENTS.md': 'skipped',
    'repo/a/b/c/d/AGENTS.md': '\n',
  });
  const found = await project.read({ cwd: 'repo/a/b/c/d', maxBytes: 12 });
  expect(found.documents).toEqual([
    { path: project.at('repo/AGENTS.md'), text: '12345', truncatedBytes: 0 },
    { path: project.at('repo/a/b/AGENTS.md'), text: 'ab€', truncatedBytes: 6 },
  ]);
  expect(found.notices).toEqual([
    `read 5 of 11 bytes of ${project.at('repo/a/b/AGENTS.md')}: raise project_doc_max_bytes (now 12) to read the rest`,
    `read 0 of 7 bytes of ${project.at('repo/a/b/c/AGENTS.md')}: raise project_doc_max_bytes (now 12) to read the rest`,
  ]);
  expect(found.text).toBe(
    `user text does not count\n\n--- project-doc ---\n\n12345\n\nab€\n\n[These instructions are incomplete: read 5 of 11 bytes of ${project.at('repo/a/b/AGENTS.md')}; read 0 of 7 bytes of ${project.at('repo/a/b/c/AGENTS.md')}.]`,
  );
  expect((await project.read({ cwd: 'repo/a/b/c', maxBytes: 0 })).text).toBe('user text does not count');
});

test('the usual size is 32 KiB and a file that fills it exactly is whole [HOST-53]', async () => {
  await using project = await writeProject({ 'repo/.git/HEAD': '', 'repo/AGENTS.md': 'x'.repeat(32_768) });
  const whole = await project.read({ cwd: 'repo' });
  expect({ length: whole.text?.length, notices: whole.notices }).toEqual({ length: 32_768, notices: [] });
  await writeFile(project.at('repo/AGENTS.md'), 'x'.repeat(32_769));
  expect((await project.read({ cwd: 'repo' })).notices).toEqual([
    `read 32768 of 32769 bytes of ${project.at('repo/AGENTS.md')}: raise project_doc_max_bytes (now 32768) to read the rest`,
  ]);
});

test('a link is followed and one that goes in circles is told [HOST-54]', async () => {
  await using project = await writeProject({ 'repo/.git/HEAD': '', 'repo/a/x': '', elsewhere: 'linked' });
  await symlink('../elsewhere', project.at('repo/AGENTS.md'));
  await symlink('AGENTS.md', project.at('repo/a/AGENTS.md'));
  const found = await project.read({ cwd: 'repo/a' });
  expect({ text: found.text, notices: found.notices }).toEqual({
    text: 'linked',
    notices: [`could not read ${project.at('repo/a/AGENTS.md')} (ELOOP: too many symbolic links encountered)`],
  });
});

test('bytes that are not UTF-8 do not keep a file from being read [HOST-54]', async () => {
  await using project = await writeProject({ 'repo/.git/HEAD': '' });
  await writeFile(project.at('repo/AGENTS.md'), Buffer.of(0x61, 0xff, 0x62));
  expect((await project.read({ cwd: 'repo' })).text).toBe('a\uFFFDb');
});

async function writeProject(contents: Readonly<Record<string, string>>) {
  const folder = await temporaryDirectory();
  const at = (name: string) => join(folder.path, name);
  for (const [name, text] of Object.entries(contents)) {
    await mkdir(dirname(at(name)), { recursive: true });
    await writeFile(at(name), text);
  }
  type Options = Omit<Parameters<typeof readProjectInstructions>[0], 'home'>;
  const read = ({ cwd, ...options }: Options) =>
    readProjectInstructions({ cwd: at(cwd), home: at('home'), ...options });
  return { ...folder, at, read };
}
