import { describe, expect, test } from 'vitest';
import { FEATURES, findFeature } from '../../src/config/config-tools.ts';
import { featureOverrides, isFeatureEnabled, loadConfig } from '../../src/index.ts';
import { type Given, problemOf, withFiles } from './config-folder.ts';

async function load(given: Given) {
  let read: { readonly features: Readonly<Record<string, boolean>>; readonly warnings: readonly string[] } | undefined;
  await withFiles(given, async (options) => {
    const { features, warnings } = await loadConfig(options);
    read = { features, warnings };
  });
  return read;
}

const config = (text: string): Given => ({ files: { 'home/config.toml': text } });

test('every feature can be set, those without effect too, and says nothing unless it is unfinished [CFG-30]', async () => {
  const silent = FEATURES.filter(({ name, stage, supported }) => {
    const isUnfinished = supported && stage === 'under-development';
    return !isUnfinished && !name.startsWith('web_search_');
  });
  const loaded = await load(config(`[features]\n${silent.map(({ name }) => `${name} = true\n`).join('')}`));
  expect(loaded?.warnings).toEqual([]);
  expect(silent.map(({ name }) => loaded?.features[name])).toEqual(silent.map(() => true));
});

test('names are listed once, in order, and what is not supported is off [CFG-30]', () => {
  const names = FEATURES.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)].sort());
  expect(FEATURES.filter(({ supported, defaultEnabled }) => !supported && defaultEnabled)).toEqual([]);
  expect(findFeature('collab')?.name).toBe('multi_agent');
});

test('what is not set has the default of the table [CFG-30]', () => {
  expect([
    isFeatureEnabled({}, 'shell_tool'),
    isFeatureEnabled({}, 'undo'),
    isFeatureEnabled({ undo: true }, 'undo'),
    isFeatureEnabled({ multi_agent: true }, 'collab'),
    isFeatureEnabled({}, 'nobody_knows'),
  ]).toEqual([true, false, true, true, false]);
});

describe('older names', () => {
  test.each([
    ['[features]\ncollab = true', 'features.collab', 'multi_agent'],
    ['[features]\nconnectors = true', 'features.connectors', 'apps'],
    ['[features]\nmemory_tool = true', 'features.memory_tool', 'memories'],
    ['experimental_use_unified_exec_tool = true', 'experimental_use_unified_exec_tool', 'unified_exec'],
    ['include_apply_patch_tool = true', 'include_apply_patch_tool', 'apply_patch_freeform'],
  ])('%# switch the feature, with a notice that names the newer one [CFG-31] [CHECK-40]', async (text, older, name) => {
    const loaded = await load(config(text));
    expect([loaded?.features[name], loaded?.warnings]).toEqual([
      true,
      [`${older} is an older name: write features.${name} instead`],
    ]);
  });

  test('of web search say what to write instead, once [CFG-31]', async () => {
    expect((await load(config('[features]\nweb_search = true')))?.warnings).toEqual([
      'features.web_search is deprecated: set web_search = "live" at the top of the file instead',
    ]);
  });
});

describe('which value holds', () => {
  test.each<[string, Given, boolean]>([
    ['the newer name of one layer', config('[features]\nmulti_agent = false\ncollab = true'), false],
    [
      'the table before the top of the file',
      config('experimental_use_unified_exec_tool = true\n[features]\nunified_exec = false'),
      false,
    ],
    [
      'a higher layer, whatever name it uses',
      { ...config('[features]\nmulti_agent = true'), overrides: ['features.collab=false'] },
      false,
    ],
    [
      'a profile before the file',
      {
        files: { 'home/config.toml': '[features]\nmulti_agent = true\n[profiles.p]\nfeatures.multi_agent = false' },
        profile: 'p',
      },
      false,
    ],
    ['the switch in a table', config('[features.multi_agent]\nenabled = true\nmax = 3'), true],
  ])('%s [CFG-35]', async (_title, given, value) => {
    const features = (await load(given))?.features;
    expect(features?.['multi_agent'] ?? features?.['unified_exec']).toBe(value);
  });
});

describe('what one feature needs of another is put right', () => {
  test.each<[string, object, readonly string[]]>([
    ['enable_fanout', { enable_fanout: true, multi_agent: true, collab: true }, []],
    ['code_mode_only', { code_mode_only: true, code_mode: true }, []],
    [
      'js_repl_tools_only',
      { js_repl_tools_only: false },
      ['features.js_repl_tools_only needs features.js_repl, which is off, and was switched off'],
    ],
  ])('%s [CFG-32] [CHECK-41]', async (name, features, warnings) => {
    const text = `suppress_unstable_features_warning = true\n[features]\n${name} = true`;
    expect(await load(config(text))).toEqual({ features, warnings });
  });

  test('js_repl_tools_only with js_repl stays [CFG-32]', async () => {
    const text = 'suppress_unstable_features_warning = true\n[features]\njs_repl = true\njs_repl_tools_only = true';
    expect((await load(config(text)))?.features).toEqual({ js_repl: true, js_repl_tools_only: true });
  });
});

describe('unfinished features', () => {
  const BOTH = '[features]\ndefault_mode_request_user_input = true\njs_repl = true\njs_repl_tools_only = true\n';

  test('that are on are one warning [CFG-33] [CHECK-42]', async () => {
    expect((await load(config(BOTH)))?.warnings).toEqual([
      'under development and may break: features.default_mode_request_user_input, features.js_repl_tools_only; ' +
        'suppress_unstable_features_warning = true silences this',
    ]);
  });

  test.each([
    ['when it is suppressed', `suppress_unstable_features_warning = true\n${BOTH}`],
    ['when they are off', BOTH.replaceAll('true', 'false')],
    ['when they have no effect here', '[features]\nruntime_metrics = true'],
  ])('are none %s [CFG-33] [CHECK-42]', async (_title, text) => {
    expect((await load(config(text)))?.warnings).toEqual([]);
  });
});

describe('names that nobody knows', () => {
  test('are ignored in a file [CFG-34] [TRAP-14]', async () => {
    expect(await load(config('[features]\njs_rpl = true'))).toEqual({ features: { js_rpl: true }, warnings: [] });
  });

  test('are an error for --enable and --disable, with the nearest one [CFG-34] [TRAP-14]', async () => {
    const wrong = async (enable: string) => featureOverrides({ enable: [enable], disable: [] });
    expect([await problemOf(wrong('js_rpl'), '/none'), await problemOf(wrong('zzz'), '/none')]).toEqual([
      'unknown-feature: --enable: there is no feature "js_rpl"; did you mean js_repl?',
      'unknown-feature: --enable: there is no feature "zzz"; quire features list shows those that there are',
    ]);
    expect(featureOverrides({ enable: ['undo'], disable: ['apps', 'collab'] })).toEqual([
      'features.undo=true',
      'features.apps=false',
      'features.collab=false',
    ]);
  });
});
