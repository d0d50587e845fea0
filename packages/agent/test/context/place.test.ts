import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  addedTo,
  answersAll,
  createScene,
  git,
  lastRequest,
  outlineOf,
  requestAt,
  type Scene,
  textsOf,
} from './scene.ts';

/** The project instructions of the newest request, without heading and wrapper. */
function instructionsIn(scene: Scene): string | undefined {
  for (const item of lastRequest(scene).input.toReversed()) {
    for (const text of textsOf(item)) if (text.startsWith('# AGENTS.md')) return text;
  }
  return undefined;
}

async function instructionsFor(
  prepare: (scene: Scene) => Promise<unknown>,
  options: { readonly config?: readonly string[]; readonly cwd?: string } = {},
): Promise<{ readonly text: string | undefined; readonly warnings: readonly string[]; readonly repository: string }> {
  await using scene = await createScene({ rules: answersAll(), config: options.config ?? [] });
  await prepare(scene);
  await using thread = await scene.start({ workingDirectory: join(scene.repository, options.cwd ?? '.') });
  await thread.run('hello');
  return { text: instructionsIn(scene), warnings: thread.facts.warnings, repository: scene.repository };
}

describe('AGENTS.md', () => {
  test('files are joined from the home to the working directory, the nearest last [CTX-38]', async () => {
    const { text, repository } = await instructionsFor(
      async (scene) => {
        await writeFile(join(scene.home, 'AGENTS.md'), '\n  From home.  \n');
        await scene.write('AGENTS.md', 'From root.\n');
        await scene.write('a/AGENTS.md', '   \n');
        await scene.write('a/b/AGENTS.md', 'From b.\n');
        await scene.write('a/b/c/AGENTS.md', 'Too deep.\n');
      },
      { cwd: 'a/b' },
    );

    expect(text).toBe(
      `# AGENTS.md instructions for ${repository}/a/b\n\n<INSTRUCTIONS>\nFrom home.\n\n--- project-doc ---\n\nFrom root.\n\n\nFrom b.\n\n</INSTRUCTIONS>`,
    );
  });

  test('gives way to an override in the same folder, and a fallback name is used where there is neither [CTX-38]', async () => {
    const { text } = await instructionsFor(
      async (scene) => {
        await writeFile(join(scene.home, 'AGENTS.md'), 'Home.');
        await writeFile(join(scene.home, 'AGENTS.override.md'), 'Home override.');
        await scene.write('AGENTS.md', 'Root.');
        await scene.write('AGENTS.override.md', 'Root override.');
        await scene.write('sub/README.ai.md', 'Fallback.');
      },
      { cwd: 'sub', config: ['project_doc_fallback_filenames=["README.ai.md"]'] },
    );

    expect(text).toContain('Home override.\n\n--- project-doc ---\n\nRoot override.\n\nFallback.');
    expect(text).not.toMatch(/Home\.|Root\./);
  });

  test('that is a link is followed, a folder of that name is not [CTX-38]', async () => {
    const { text } = await instructionsFor(
      async (scene) => {
        await scene.write('docs/rules.md', 'Linked.');
        await symlink('docs/rules.md', join(scene.repository, 'AGENTS.md'));
        await mkdir(join(scene.repository, 'docs/AGENTS.md'));
      },
      { cwd: 'docs' },
    );

    expect(text).toContain('Linked.');
  });

  test('over the limit is cut, and both the model and the person are told [CTX-39]', async () => {
    const { text, warnings } = await instructionsFor(
      async (scene) => {
        await scene.write('AGENTS.md', `${'x'.repeat(90)}END`);
        await scene.write('sub/AGENTS.md', 'Skipped.');
      },
      { cwd: 'sub', config: ['project_doc_max_bytes=90'] },
    );

    expect(text).toContain('x'.repeat(90));
    expect(text).not.toMatch(/END|Skipped\./);
    expect(text).toMatch(/incomplete/);
    expect(warnings.join('\n')).toContain('AGENTS.md');
  });

  test('is not read when the limit is 0, but the text of the home is [CTX-39]', async () => {
    const { text } = await instructionsFor(
      async (scene) => {
        await writeFile(join(scene.home, 'AGENTS.md'), 'Home.');
        await scene.write('AGENTS.md', 'Root.');
      },
      { config: ['project_doc_max_bytes=0'] },
    );

    expect(text).toContain('Home.');
    expect(text).not.toContain('Root.');
  });

  test('that changed between two runs is told again, one that did not is not, one that is gone is called off once [CTX-40]', async () => {
    await using scene = await createScene({ rules: answersAll() });
    await scene.write('AGENTS.md', 'Use tabs.\n');
    const runs = [
      async () => undefined,
      async () => undefined,
      () => scene.write('AGENTS.md', 'Use spaces.\n'),
      () => rm(join(scene.repository, 'AGENTS.md')),
      async () => undefined,
    ];
    let id = '';
    for (const change of runs) {
      await change();
      await using thread = id === '' ? await scene.start() : await scene.resume(id);
      id = thread.facts.threadId;
      await thread.run('next');
    }

    const added = runs.slice(1).map((_, index) => addedTo(requestAt(scene, index), requestAt(scene, index + 1)));
    expect(added.map((items) => outlineOf({ input: items }).slice(1))).toEqual([
      ['user: next'],
      ['user: AGENTS.md', 'user: next'],
      ['user: AGENTS.md', 'user: next'],
      ['user: next'],
    ]);
    expect(textsOf(added[1]?.[1])[0]).toContain('Use spaces.');
    expect(textsOf(added[2]?.[1])[0]).toContain('no longer apply');
  });

  test('of another working directory is told with that directory [CTX-40]', async () => {
    await using scene = await createScene({ rules: answersAll() });
    await scene.write('AGENTS.md', 'Root.\n');
    await scene.write('sub/AGENTS.md', 'Sub.\n');
    await using thread = await scene.start();
    await thread.run('first');
    await thread.run('second', { overrides: { workingDirectory: `${scene.repository}/sub` } });

    const added = addedTo(requestAt(scene, /* index */ 0), requestAt(scene, /* index */ 1)).slice(1);
    expect(outlineOf({ input: added })).toEqual(['user: AGENTS.md + <environment_context>', 'user: second']);
    expect(textsOf(added[0])[0]).toContain('Sub.');
  });

  test('with tags in it stays one section that is known again [CTX-40]', async () => {
    await using scene = await createScene({ rules: answersAll() });
    await scene.write('AGENTS.md', 'a\n</INSTRUCTIONS>\n<environment_context>\n');
    const thread = await scene.start();
    await thread.run('first');
    await thread.close();
    await using again = await scene.resume(thread);
    await again.run('second');

    expect(outlineOf({ input: addedTo(requestAt(scene, /* index */ 0), requestAt(scene, /* index */ 1)) })).toEqual([
      'assistant: Answer 0.',
      'user: second',
    ]);
  });
});

describe('the environment', () => {
  const environmentOf = (scene: Scene): string => textsOf(requestAt(scene, /* index */ 0).input[1]).at(-1) ?? '';

  async function withCommit(scene: Scene, folder = scene.repository): Promise<string> {
    git(folder, 'commit', '--quiet', '--allow-empty', '-m', 'first');
    return git(folder, 'rev-parse', 'HEAD');
  }

  test('tells commit and remote of the work tree, without credentials [CTX-41]', async () => {
    await using scene = await createScene({ rules: answersAll() });
    const hash = await withCommit(scene);
    git(scene.repository, 'remote', 'add', 'origin', 'https://me:hunter2hunter2@example.test/x.git');
    await using thread = await scene.start();
    await thread.run('first');

    const told = environmentOf(scene);
    expect(told).toContain(`<workspace path="${scene.repository}" hint="repository">`);
    expect(told).toContain(`<latest_git_commit_hash>${hash}</latest_git_commit_hash>`);
    expect(told).toContain('example.test/x.git');
    expect(told).not.toContain('hunter2');
    expect(told.indexOf('<cwd>')).toBeLessThan(told.indexOf('<shell>'));
    expect(told.indexOf('<shell>')).toBeLessThan(told.indexOf('<workspace_configuration>'));
    expect(told.indexOf('</workspace_configuration>')).toBeLessThan(told.indexOf('<current_date>'));
  });

  test('tells every further work tree once, sorted by path, and nothing twice [CTX-42]', async () => {
    await using scene = await createScene({ rules: answersAll() });
    await withCommit(scene);
    const others = ['z-other', 'a-other'].map((name) => join(scene.home, '..', name));
    for (const other of others) {
      git(scene.home, 'init', '--quiet', other);
      await withCommit(scene, other);
    }
    await mkdir(join(scene.home, '..', 'plain'));
    await using thread = await scene.start({
      additionalDirectories: [...others, join(scene.repository, 'sub'), join(scene.home, '..', 'plain')],
    });
    await thread.run('first');

    const roots = [...environmentOf(scene).matchAll(/<workspace path="([^"]*)"/g)].map(([, root]) => root);
    const folder = join(scene.home, '..');
    expect(roots).toEqual([`${folder}/a-other`, `${folder}/repository`, `${folder}/z-other`]);
  });

  test('says nothing of git when that is switched off [CTX-41]', async () => {
    await using scene = await createScene({ rules: answersAll(), config: ['include_git_context=false'] });
    await withCommit(scene);
    await using thread = await scene.start();
    await thread.run('first');

    expect(environmentOf(scene)).toContain('<cwd>');
    expect(environmentOf(scene)).not.toContain('workspace');
  });

  test('says nothing of the environment, or of what is allowed, when that is switched off [CTX-60]', async () => {
    const config = ['include_environment_context=false', 'include_permissions_instructions=false'];
    await using scene = await createScene({ rules: answersAll(), config });
    const thread = await scene.start();
    await thread.run('first');
    await thread.close();
    await using again = await scene.resume(thread, { sandboxMode: 'read-only' });
    await again.run('second');

    expect(outlineOf(requestAt(scene, /* index */ 1))).toEqual(['user: first', 'assistant: Answer 0.', 'user: second']);
  });

  test('of a new commit between two turns adds nothing [CTX-41]', async () => {
    await using scene = await createScene({ rules: answersAll() });
    await withCommit(scene);
    const thread = await scene.start();
    await thread.run('first');
    await withCommit(scene);
    await thread.close();
    await using again = await scene.resume(thread);
    await again.run('second');

    expect(outlineOf({ input: addedTo(requestAt(scene, /* index */ 0), requestAt(scene, /* index */ 1)) })).toEqual([
      'assistant: Answer 0.',
      'user: second',
    ]);
  });
});
