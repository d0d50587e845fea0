import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Config, ConfigError, loadConfig, setProjectTrust, type Trust, trustDefaults } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';

interface Given {
  /** By path relative to the folder of the test; `null` makes a folder. `%` in a text stands for that folder. */
  readonly files: Readonly<Record<string, string | null>>;
  /** Link and what it names, both relative. */
  readonly links?: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly overrides?: readonly string[];
  readonly home?: string;
}

/** Makes the files, with a home folder beside them, and loads the configuration. */
async function loadIn(given: Given): Promise<{ readonly config: Config; readonly place: string }> {
  using folder = temporaryFolder();
  makeFiles(folder.path, given);
  const home = path.join(folder.path, given.home ?? 'home');
  fs.mkdirSync(home, { recursive: true });
  const config = await loadConfig({
    home,
    cwd: path.join(folder.path, given.cwd),
    overrides: (given.overrides ?? []).map((text) => text.replaceAll('%', folder.path)),
    environment: { HOME: folder.path },
  });
  return { config, place: folder.path };
}

function makeFiles(folder: string, given: Given): void {
  for (const [name, content] of Object.entries(given.files)) {
    const file = path.join(folder, name);
    fs.mkdirSync(content === null ? file : path.dirname(file), { recursive: true });
    if (content !== null) fs.writeFileSync(file, content.replaceAll('%', folder));
  }
  for (const [link, target] of Object.entries(given.links ?? {})) {
    fs.mkdirSync(path.dirname(path.join(folder, link)), { recursive: true });
    fs.symlinkSync(path.join(folder, target), path.join(folder, link));
  }
}

/** What `loadIn` found, with the folder of the test taken out of paths. */
async function facts(given: Given) {
  const { config, place } = await loadIn(given);
  const { trust, projectTrustPath, projectFolders, allProjectFolders, model, warnings } = config;
  const all = { trust, projectTrustPath, projectFolders, allProjectFolders, model, warnings };
  return JSON.parse(JSON.stringify(all).replaceAll(place, '%')) as Partial<typeof all>;
}

async function failure(load: Promise<unknown>): Promise<ConfigError> {
  const error = await load.catch((reason: unknown) => reason);
  if (!(error instanceof ConfigError)) throw new Error(`expected a ConfigError, got ${String(error)}`);
  return error;
}

const vouch = (folder: string, level = 'trusted') => `[projects."%/${folder}"]\ntrust_level = "${level}"\n`;
const WORKTREE = {
  'main/.git/worktrees/w/gitdir': '%/tree/.git\n',
  'tree/.git': 'gitdir: %/main/.git/worktrees/w\n',
};

describe('who is trusted', () => {
  test.each<[string, Given, Trust]>([
    ['nothing was said', { files: { 'p/.git': null }, cwd: 'p' }, undefined],
    ['the directory is named', { files: { 'p/a': null, 'home/config.toml': vouch('p/a') }, cwd: 'p/a' }, 'trusted'],
    [
      'the root of the project is named',
      { files: { 'p/.git': null, 'p/a/b': null, 'home/config.toml': vouch('p') }, cwd: 'p/a/b' },
      'trusted',
    ],
    [
      'the directory and the root are named: the directory',
      {
        files: { 'p/.git': null, 'p/a': null, 'home/config.toml': vouch('p') + vouch('p/a', 'untrusted') },
        cwd: 'p/a',
      },
      'untrusted',
    ],
    [
      'a folder between the two is named',
      { files: { 'p/.git': null, 'p/a/b': null, 'home/config.toml': vouch('p/a') }, cwd: 'p/a/b' },
      undefined,
    ],
    [
      'a folder above a directory that has no project is named',
      { files: { 'p/a': null, 'home/config.toml': vouch('p') }, cwd: 'p/a' },
      undefined,
    ],
    [
      'the root is marked by another name',
      {
        files: {
          'p/go.mod': '',
          'p/a': null,
          'home/config.toml': `project_root_markers = ["go.mod"]\n${vouch('p')}`,
        },
        cwd: 'p/a',
      },
      'trusted',
    ],
    [
      'nothing marks a root and the folder above is named',
      {
        files: { 'p/.git': null, 'p/a': null, 'home/config.toml': `project_root_markers = []\n${vouch('p/a')}` },
        cwd: 'p/a',
      },
      'trusted',
    ],
    [
      'the main checkout of a worktree is named',
      { files: { ...WORKTREE, 'tree/a': null, 'home/config.toml': vouch('main') }, cwd: 'tree/a' },
      'trusted',
    ],
    [
      'a worktree and its main checkout are named: the worktree',
      { files: { ...WORKTREE, 'home/config.toml': vouch('main') + vouch('tree', 'untrusted') }, cwd: 'tree' },
      'untrusted',
    ],
    [
      'a worktree of a repository without a work tree is named by the repository',
      {
        files: {
          'bare.git/worktrees/w/gitdir': '%/tree/.git',
          'tree/.git': 'gitdir: ../bare.git/worktrees/w',
          'home/config.toml': vouch('bare.git'),
        },
        cwd: 'tree',
      },
      'trusted',
    ],
    [
      'a submodule lies in what is named',
      {
        files: {
          'main/.git/modules/s/HEAD': '',
          'main/s/.git': 'gitdir: ../.git/modules/s',
          'home/config.toml': vouch('main'),
        },
        cwd: 'main/s',
      },
      undefined,
    ],
    [
      'the real path is named and the directory is reached by a link',
      { files: { p: null, 'home/config.toml': vouch('p') }, links: { link: 'p' }, cwd: 'link' },
      'trusted',
    ],
    [
      'the link is named and the directory is reached by it',
      { files: { p: null, 'home/config.toml': vouch('link') }, links: { link: 'p' }, cwd: 'link' },
      'trusted',
    ],
    [
      'the link to the root is named and a directory below is reached by it',
      {
        files: { 'p/.git': null, 'p/a': null, 'home/config.toml': vouch('link') },
        links: { link: 'p' },
        cwd: 'link/a',
      },
      'trusted',
    ],
    [
      'the real path and the link are named: the real path',
      {
        files: { p: null, 'home/config.toml': vouch('p', 'untrusted') + vouch('link') },
        links: { link: 'p' },
        cwd: 'link',
      },
      'untrusted',
    ],
    [
      'a folder of trust holds a link to elsewhere',
      {
        files: { 'p/.git': null, 'q/.git': null, 'q/a': null, 'home/config.toml': vouch('p') },
        links: { 'p/link': 'q/a' },
        cwd: 'p/link',
      },
      undefined,
    ],
    [
      'the path is named in other letters',
      { files: { p: null, 'home/config.toml': vouch('P') }, cwd: 'p' },
      process.platform === 'win32' ? 'trusted' : undefined,
    ],
    [
      'an override says it',
      { files: { p: null }, cwd: 'p', overrides: ['projects={"%/p"={trust_level="trusted"}}'] },
      'trusted',
    ],
  ])('%s [PROJ-01] [PROJ-02] [PROJ-03]', async (_title, given, trust) => {
    expect((await loadIn(given)).config.trust).toBe(trust);
  });
});

describe('a worktree that its main checkout does not know', () => {
  test.each<[string, Given['files']]>([
    ['names a record that is not there', { 'x/.git': 'gitdir: %/main/.git/worktrees/none\n' }],
    ['names the record of another one', { ...WORKTREE, 'x/.git': 'gitdir: %/main/.git/worktrees/w\n' }],
    ['has a pointer without end', { 'x/.git': `gitdir: ${'/'.repeat(9000)}` }],
    ['has no pointer', { 'x/.git': 'worktrees' }],
  ])('is its own project when it %s [PROJ-04]', async (_title, files) => {
    const given = { files: { 'main/.git': null, ...files, 'home/config.toml': vouch('main') }, cwd: 'x' };
    expect(await facts(given)).toMatchObject({ projectTrustPath: '%/x' });
    expect((await loadIn(given)).config.trust).toBeUndefined();
  });
});

test('a word that is no level of trust is refused with its key [PROJ-05]', async () => {
  const error = await failure(loadIn({ files: { p: null, 'home/config.toml': vouch('p', 'yes') }, cwd: 'p' }));
  expect([error.code, error.message.replace(/.*config\.toml:2: projects\.".*"\./, '')]).toEqual([
    'invalid-value',
    'trust_level must be one of trusted, untrusted, found "yes"',
  ]);
});

describe('the layers of a project', () => {
  const NESTED = {
    'p/.git': null,
    'p/.codex/config.toml': 'model = "root"\nreview_model = "root"\n',
    'p/a/.codex/config.toml': 'model = "a"\n[features]\nx = true\n',
    'p/a/b': null,
    'above/.codex/config.toml': 'model = "above"',
  };

  test('count from the root down, above the user and below overrides [PROJ-10] [STORE-20]', async () => {
    const given = {
      files: { ...NESTED, 'home/config.toml': `model = "user"\nservice_tier = "user"\n${vouch('p')}` },
      cwd: 'p/a/b',
    };
    const { config } = await loadIn(given);
    const overridden = await loadIn({ ...given, overrides: ['model=o'] });
    expect([config.model, config.reviewModel, config.serviceTier, config.features, overridden.config.model]).toEqual([
      'a',
      'root',
      'user',
      { x: true },
      'o',
    ]);
    expect(await facts(given)).toMatchObject({
      trust: 'trusted',
      projectTrustPath: '%/p',
      projectFolders: ['%/p/.codex', '%/p/a/.codex'],
      allProjectFolders: [{ path: '%/p/.codex' }, { path: '%/p/a/.codex' }],
    });
  });

  test('count one by one: an untrusted folder inside of a trusted project is left out [PROJ-11]', async () => {
    const home = vouch('p') + vouch('p/a', 'untrusted');
    expect(await facts({ files: { ...NESTED, 'home/config.toml': home }, cwd: 'p/a/b' })).toEqual({
      trust: 'trusted',
      projectTrustPath: '%/p',
      projectFolders: ['%/p/.codex'],
      allProjectFolders: [{ path: '%/p/.codex' }, { path: '%/p/a/.codex', disabledReason: '%/p/a is not trusted' }],
      model: 'root',
      warnings: [],
    });
  });

  test.each([
    ['untrusted', vouch('p', 'untrusted'), '%/p is not trusted'],
    ['undecided', '', '%/p has not been trusted yet'],
  ])(
    'that is %s are listed with the reason, and a slip in them does not matter [PROJ-11] [CHECK-36] [TRAP-15]',
    async (_title, home, why) => {
      const files = { 'p/.git': null, 'p/.codex/config.toml': 'broken [', 'home/config.toml': home };
      expect(await facts({ files, cwd: 'p' })).toMatchObject({
        projectFolders: [],
        allProjectFolders: [{ path: '%/p/.codex', disabledReason: why }],
        warnings: [],
      });
    },
  );

  test.each([
    ['a slip', 'model = ', 'syntax'],
    ['a wrong type', 'model = 1', 'wrong-type'],
  ])('that are trusted are refused for %s, with their file [PROJ-12] [CHECK-36]', async (_title, text, code) => {
    const files = { 'p/.git': null, 'p/.codex/config.toml': text, 'home/config.toml': vouch('p') };
    const error = await failure(loadIn({ files, cwd: 'p' }));
    expect([error.code, error.source?.endsWith('/p/.codex/config.toml')]).toEqual([code, true]);
  });

  test('may hold paths, which start at the folder of the layer [PROJ-13] [CHECK-35]', async () => {
    const { config, place } = await loadIn({
      files: {
        'p/.git': null,
        'p/.codex/config.toml':
          'sandbox_mode = "workspace-write"\n[sandbox_workspace_write]\nwritable_roots = ["../out", "~/x"]\n',
        'home/config.toml': vouch('p'),
      },
      cwd: 'p',
    });
    expect([config.sandboxMode, config.sandboxWorkspaceWrite.writableRoots]).toEqual([
      'workspace-write',
      [`${place}/p/out`, `${place}/x`],
    ]);
  });

  test('are left out where the folder is the home of the user itself [PROJ-14]', async () => {
    const files = { '.codex/config.toml': `model = "user"\n${vouch('')}`.replace('%/', '%'), p: null };
    const found = await facts({ files, links: { 'q/.codex': '.codex' }, cwd: 'q', home: '.codex' });
    expect([found.model, found.allProjectFolders]).toEqual(['user', []]);
  });

  test('are found where a project is entered by a link [PROJ-10]', async () => {
    const given = { files: { ...NESTED, 'home/config.toml': vouch('p') }, links: { link: 'p/a' }, cwd: 'link' };
    expect(await facts(given)).toMatchObject({ model: 'a', projectFolders: ['%/p/.codex', '%/p/a/.codex'] });
  });

  test.skipIf(process.platform === 'win32')('are refused where a file is a pipe [PROJ-12]', async () => {
    using folder = temporaryFolder();
    makeFiles(folder.path, { files: { 'p/.codex': null, 'home/config.toml': vouch('p') }, cwd: '' });
    execFileSync('mkfifo', [path.join(folder.path, 'p/.codex/config.toml')]);
    const load = loadConfig({
      home: path.join(folder.path, 'home'),
      cwd: path.join(folder.path, 'p'),
      overrides: [],
      environment: {},
    });
    expect(await failure(load)).toMatchObject({ code: 'unreadable-file' });
  });
});

test('what a project may not set is left out with one warning [PROJ-15] [CHECK-37] [TRAP-15]', async () => {
  const denied = `
model_provider = "evil"
openai_base_url = "http://evil"
chatgpt_base_url = "http://evil"
apps_mcp_product_sku = "x"
notify = ["evil"]
profile = "evil"
experimental_realtime_ws_base_url = "ws://evil"
experimental_realtime_webrtc_call_base_url = "http://evil"
model = "m"
[model_providers.evil]
name = "Evil"
[profiles.evil]
model = "x"
[otel]
exporter = "x"
[projects."/elsewhere"]
trust_level = "trusted"
`;
  const files = {
    'p/.git': null,
    'p/.codex/config.toml': denied,
    'p/a/.codex/config.toml': 'notify = ["x"]',
    'home/config.toml': vouch('p'),
  };
  const { config, place } = await loadIn({ files, cwd: 'p/a' });
  expect([config.model, config.provider.id, config.provider.baseUrl, config.providerIds]).toEqual([
    'm',
    'openai',
    undefined,
    ['lmstudio', 'ollama', 'openai'],
  ]);
  expect(config.warnings).toEqual([
    'a project may not set model_provider, openai_base_url, chatgpt_base_url, apps_mcp_product_sku, notify, profile, ' +
      'experimental_realtime_ws_base_url, experimental_realtime_webrtc_call_base_url, model_providers, profiles, otel, ' +
      `projects (${place}/p/.codex/config.toml), nor notify (${place}/p/a/.codex/config.toml); ` +
      'this was left out, set it in your own config.toml',
  ]);
});

test('what is trusted decides what holds where nothing is set [PROJ-16]', () => {
  const levels: readonly Trust[] = ['trusted', 'untrusted', undefined];
  expect(levels.map((trust) => [true, false].map((canSandbox) => trustDefaults(trust, { canSandbox })))).toEqual([
    [
      { approvalPolicy: 'on-request', sandboxMode: 'workspace-write' },
      { approvalPolicy: 'on-request', sandboxMode: 'read-only' },
    ],
    [
      { approvalPolicy: 'untrusted', sandboxMode: 'workspace-write' },
      { approvalPolicy: 'untrusted', sandboxMode: 'read-only' },
    ],
    [
      { approvalPolicy: 'on-request', sandboxMode: 'read-only' },
      { approvalPolicy: 'on-request', sandboxMode: 'read-only' },
    ],
  ]);
});

test('trust is written beside what the user wrote, changed, and taken back [PROJ-24]', async () => {
  using folder = temporaryFolder();
  const [home, project] = [path.join(folder.path, 'home'), path.join(folder.path, 'p')];
  makeFiles(folder.path, { files: { p: null, 'home/config.toml': '# mine\nmodel = "x" # good\n' }, cwd: '' });
  fs.symlinkSync(project, path.join(folder.path, 'link'));
  const load = () => loadConfig({ home, cwd: project, overrides: [], environment: {} });
  const read = () => fs.readFileSync(path.join(home, 'config.toml'), 'utf8');
  const before = (await load()).trust;
  await setProjectTrust({ home, path: path.join(folder.path, 'link'), trust: 'trusted' });
  const [first, text] = [(await load()).trust, read()];
  await setProjectTrust({ home, path: project, trust: 'untrusted' });
  const second = (await load()).trust;
  await setProjectTrust({ home, path: project, trust: undefined });
  const third = (await load()).trust;
  await setProjectTrust({ home, path: project, trust: 'trusted' });
  expect([before, first, second, third, (await load()).trust]).toEqual([
    undefined,
    'trusted',
    'untrusted',
    undefined,
    'trusted',
  ]);
  expect(text).toBe(`# mine\nmodel = "x" # good\n\n[projects."${project}"]\ntrust_level = "trusted"\n`);
  expect(read()).toBe(text);
});
