import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { changeSetting, parseKeyPath } from '../../src/config/config-tools.ts';
import { type Given, problemOf, withFiles } from './config-folder.ts';

const BEFORE = `# mine
model = "m"   # why

[features] # switches
# about undo
undo = true
[model_providers.own]
name = "Own"
`;

/** The file after the change, and what the change came to, both with `%` for the folder. */
async function change(
  key: string,
  text: string | undefined,
  given: Given & { readonly intoProfile?: string } = {},
): Promise<{ readonly file: string; readonly outcome: object }> {
  let result = { file: '', outcome: {} };
  const files = { 'home/config.toml': BEFORE, ...given.files };
  await withFiles({ ...given, files }, async (options, place) => {
    const outcome = await changeSetting({ key, text }, { ...options, intoProfile: given.intoProfile });
    const file = fs.readFileSync(outcome.file, 'utf8');
    result = { file, outcome: JSON.parse(JSON.stringify(outcome).replaceAll(place, '%')) as object };
  });
  return result;
}

const DONE = { file: '%/home/config.toml', changed: true, notices: [] };

describe('a change keeps comments, order and layout', () => {
  test.each<[string, string | undefined, string]>([
    ['model', 'gpt-5', BEFORE.replace('"m"', '"gpt-5"')],
    ['features.undo', 'false', BEFORE.replace('undo = true', 'undo = false')],
    ['model_providers.own.base_url', 'http://h/v1', `${BEFORE}base_url = "http://h/v1"\n`],
    ['projects."/a.b".trust_level', 'trusted', `${BEFORE}\n[projects."/a.b"]\ntrust_level = "trusted"\n`],
    ['model_providers.own', undefined, BEFORE.slice(0, BEFORE.indexOf('[model_providers'))],
    ['model', undefined, BEFORE.replace('model = "m"   # why\n', '')],
  ])('%s = %s [CFG-50]', async (key, text, file) => {
    const changed = await change(key, text);
    expect(changed).toEqual({ file, outcome: { ...DONE, key } });
  });

  test('and what is so already is not written [CFG-50]', async () => {
    expect(await change('model', 'm')).toEqual({
      file: BEFORE,
      outcome: { ...DONE, key: 'model', changed: false },
    });
  });

  test('in the file of a profile, which is made when it is missing [CFG-54]', async () => {
    expect(await change('model', 'x', { intoProfile: 'work' })).toEqual({
      file: 'model = "x"\n',
      outcome: { ...DONE, key: 'model', file: '%/home/work.config.toml' },
    });
  });
});

describe('the text of a value', () => {
  test.each([
    ['model', '5', 'model = "5"'],
    ['model', '"quoted"', 'model = "quoted"'],
    ['model_context_window', '1000', 'model_context_window = 1000'],
    ['project_doc_fallback_filenames', '["A", "B"]', 'project_doc_fallback_filenames = ["A", "B"]'],
    ['hide_agent_reasoning', ' true ', 'hide_agent_reasoning = true'],
    ['mine', 'plain words', 'mine = "plain words"'],
  ])('of %s: %s is TOML, or plain text where text is wanted [CFG-53]', async (key, text, line) => {
    const { file } = await change(key, text, { files: { 'home/config.toml': '' } });
    expect(file.replaceAll('[ ', '[').replaceAll(' ]', ']')).toBe(`${line}\n`);
  });

  test.each([
    ['a.b', ['a', 'b']],
    ['a."b.c".d', ['a', 'b.c', 'd']],
    ["a.'b c'", ['a', 'b c']],
    ['a b', ['a b']],
    ['projects./x', ['projects', '/x']],
  ])('the key %s has its names [CFG-53]', async (key, names) => {
    expect(await parseKeyPath(key)).toEqual(names);
  });

  test.each(['', 'a..b', '.'])('the key %j is refused [CFG-53]', async (key) => {
    expect(await problemOf(parseKeyPath(key), '/none')).toMatch(/^invalid-value: .* is no key/);
  });
});

describe('nothing is written', () => {
  test.each<[string, string, string]>([
    ['features.undo', 'maybe', 'wrong-type: features.undo must be true or false, found a string; nothing was written'],
    [
      'sandbox_mode',
      'none',
      'invalid-value: sandbox_mode must be one of read-only, workspace-write, danger-full-access, found "none"; nothing was written',
    ],
    [
      'model_provider',
      'nope',
      'unknown-provider: model_provider "nope" is not known; known are lmstudio, ollama, openai, own; define others as [model_providers.<id>]; nothing was written',
    ],
    ['model.x', '1', 'wrong-type: model must be a string, found a table; nothing was written'],
    ['modle', 'x', 'invalid-value: modle is no setting; did you mean model?'],
    ['features.js_rpl', 'true', 'invalid-value: features.js_rpl is no setting; did you mean features.js_repl?'],
    ['project_root_markers', '[1', 'invalid-value: project_root_markers is not valid TOML'],
    [
      'project_root_markers',
      '[1]',
      'wrong-type: project_root_markers must be a list of strings, found a list with an integer; nothing was written',
    ],
    ['profile', 'w', 'unknown-profile: there is no profile "w"; make %/home/w.config.toml; nothing was written'],
    ['profiles.w', '3', 'wrong-type: profiles.w must be a table; nothing was written'],
    [
      'profiles.w.sandbox_mode',
      'none',
      'invalid-value: sandbox_mode must be one of read-only, workspace-write, danger-full-access, found "none"; nothing was written',
    ],
    [
      'profiles.w',
      '{ web_search = "x" }',
      'invalid-value: web_search must be one of disabled, cached, live, found "x"; nothing was written',
    ],
    ['hooks', '1', 'wrong-type: hooks must be a table; nothing was written'],
    ['hooks.PreToolUse', '1', 'wrong-type: hooks.PreToolUse must be a list of tables; nothing was written'],
    ['mcp_servers.x', '3', 'wrong-type: mcp_servers.x must be a table, found an integer; nothing was written'],
    [
      'mcp_servers.x.args',
      '3',
      'wrong-type: mcp_servers.x.args must be a list of strings, found an integer; nothing was written',
    ],
    [
      'model_providers.x.request_max_retries',
      'many',
      'wrong-type: model_providers.x.request_max_retries must be an integer, found a string; nothing was written',
    ],
    [
      'projects."/x".trust_level',
      'yes',
      'invalid-value: projects."/x".trust_level must be one of trusted, untrusted, found "yes"; nothing was written',
    ],
    [
      'model_catalog_json',
      '/none',
      'unreadable-file: model_catalog_json: /none can not be read: it does not exist; nothing was written',
    ],
    [
      'forced_chatgpt_workspace_id',
      'a,b',
      'invalid-value: forced_chatgpt_workspace_id is a list in one string; write ["ID", "ID"]; nothing was written',
    ],
  ])('when %s = %s can not be used [CFG-51]', async (key, text, message) => {
    await withFiles({ files: { 'home/config.toml': BEFORE } }, async (options, place) => {
      const problem = await problemOf(changeSetting({ key, text }, options), place);
      expect(problem.slice(0, message.length)).toBe(message);
      expect(fs.readFileSync(path.join(options.home, 'config.toml'), 'utf8')).toBe(BEFORE);
    });
  });

  test.each<[string, string | Uint8Array, RegExp]>([
    ['is not TOML', 'model = \n', /^syntax: .*config\.toml:1:9: not valid TOML/],
    ['has a table twice', '[a]\n[a]\n', /^syntax: .*config\.toml:2:/],
    ['is no text', Uint8Array.of(0x61, 0xff), /^unreadable-file: .* it is not UTF-8 text/],
  ])('when the file %s [CFG-51]', async (_title, content, message) => {
    await withFiles({ files: { 'home/config.toml': content } }, async (options, place) => {
      expect(await problemOf(changeSetting({ key: 'model', text: 'x' }, options), place)).toMatch(message);
      expect(fs.readFileSync(path.join(options.home, 'config.toml'))).toEqual(Buffer.from(content));
    });
  });
});

test('a file that is wrong elsewhere can be put right, one setting after the other [CFG-51]', async () => {
  const files = { 'home/config.toml': 'model = 5\nweb_search = 7\n' };
  expect(await change('model', 'm', { files })).toEqual({
    file: 'model = "m"\nweb_search = 7\n',
    outcome: {
      ...DONE,
      key: 'model',
      notices: ['%/home/config.toml:2: web_search must be a string, found an integer'],
      fault: '%/home/config.toml:2: web_search must be a string, found an integer',
    },
  });
});

test('what is wrong elsewhere does not hide what is wrong with a new value [CFG-51]', async () => {
  const files = { 'home/config.toml': 'profile = "gone"\nmodel = 5\nhooks = 1\n[profiles.a]\nmodel = 7\n' };
  await withFiles({ files }, async (options, place) => {
    expect(await problemOf(changeSetting({ key: 'web_search', text: 'x' }, options), place)).toBe(
      'invalid-value: web_search must be one of disabled, cached, live, found "x"; nothing was written',
    );
  });
});

const NAMELESS = '[model_providers.sim]\nbase_url = "http://h"\n';
const NO_ENDPOINT = '[otel.exporter.otlp-http]\nprotocol = "json"\n';

describe.each<[string, Readonly<Record<string, string>>]>([
  ['a provider without a name', { 'home/config.toml': NAMELESS }],
  ['that provider, chosen', { 'home/config.toml': `model_provider = "sim"\n${NAMELESS}` }],
  ['an exporter without an address', { 'home/config.toml': `${NO_ENDPOINT}${NAMELESS}` }],
  ['hooks that can not be read', { 'home/config.toml': NAMELESS, 'home/hooks.json': '{' }],
  [
    'a wrong value in the profile of a file',
    {
      'home/config.toml': `profile = "work"\n${NAMELESS}`,
      'home/work.config.toml': 'model = 5\n',
    },
  ],
])('%s', (_title, files) => {
  test.each([
    ['tool_output_token_limit', '-3', 'tool_output_token_limit must be at least 0, found -3'],
    ['model_provider', 'nope', 'model_provider "nope" is not known; known are'],
    ['sandbox_mode', 'foo', 'sandbox_mode must be one of read-only, workspace-write, danger-full-access, found "foo"'],
    ['model_providers.sim.request_max_retries', '-1', 'model_providers.sim.request_max_retries must be at least 0'],
  ])('does not hide that %s can not be %s [CFG-51]', async (key, text, problem) => {
    await withFiles({ files }, async (options, place) => {
      expect(await problemOf(changeSetting({ key, text }, options), place)).toMatch(
        new RegExp(`^[a-z-]+: ${problem}.*; nothing was written$`),
      );
      expect(fs.readFileSync(path.join(options.home, 'config.toml'), 'utf8')).toBe(files['home/config.toml']);
    });
  });

  test.each([
    ['model_provider', 'sim'],
    ['model_providers.sim.name', 'Sim'],
    ['mcp_servers.docs.http_headers.a', 'b'],
    ['sandbox_mode', 'read-only'],
  ])(
    'does not keep %s from being set to %s, and a fault that is left is told [CFG-51] [CFG-134]',
    async (key, text) => {
      await withFiles({ files }, async (options) => {
        const { notices, fault } = await changeSetting({ key, text }, options);
        expect(fault === undefined || notices.includes(fault)).toBe(true);
        if (key === 'sandbox_mode') expect(fault).toBeDefined();
      });
    },
  );
});

test.each<[string, string, string, string | undefined]>([
  ['a profile that is not there', 'profile = "gone"\nmodel = "m"\n', 'profile', undefined],
  ['a profile that is not there', 'profile = "gone"\n[profiles.a]\nmodel = "m"\n', 'profile', 'a'],
  ['a wrong marker', 'project_root_markers = [1]\n', 'project_root_markers', '[".hg"]'],
  ['a wrong trust', 'projects."%/project".trust_level = "x"\n', 'projects."%/project".trust_level', 'trusted'],
])('%s in the file can be put right [CFG-51]', async (_title, content, key, text) => {
  await withFiles({ files: { 'home/config.toml': content } }, async (options, place) => {
    const outcome = await changeSetting({ key: key.replaceAll('%', place), text }, options);
    expect(outcome).toMatchObject({ changed: true, notices: [] });
  });
});

test('what a change brings about is told [CFG-85]', async () => {
  expect((await change('model_providers.mine.base_url', 'http://h')).outcome).toMatchObject({
    notices: ['%/home/config.toml:10: model_providers.mine.name is missing; give the provider a name'],
  });
  expect((await change('model_providers.openai.base_url', 'http://h')).outcome).toMatchObject({
    notices: [expect.stringMatching(/^model_providers\.openai: the built-in provider can not be redefined/)],
  });
  expect((await change('model_providers.own.name', /* text */ undefined)).outcome).toMatchObject({
    notices: ['%/home/config.toml:7: model_providers.own.name is missing; give the provider a name'],
  });
});

test('a stronger value is told, with its place [CFG-52]', async () => {
  expect((await change('model', 'x', { overrides: ['model=y'] })).outcome).toMatchObject({ overriddenBy: '-c' });
  const files = { 'etc/managed_config.toml': '\nmodel = "z"' };
  expect((await change('model', 'x', { files })).outcome).toMatchObject({
    overriddenBy: '%/etc/managed_config.toml:2',
  });
  const below = { 'etc/config.toml': 'model = "z"' };
  expect((await change('model', 'x', { files: below })).outcome).not.toHaveProperty('overriddenBy');
});

test('a setting that nothing here reads is written, with a notice [CFG-50]', async () => {
  expect((await change('tui.theme', 'dark')).outcome).toMatchObject({
    changed: true,
    notices: ['nothing here reads tui.theme'],
  });
});
