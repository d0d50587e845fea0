import { describe, expect, test } from 'vitest';
import type { GitFacts } from '../../src/context/environment.ts';
import { contextMessages, initialContext } from '../../src/context/initial-context.ts';
import { permissionsSection } from '../../src/context/permissions.ts';
import { contextSettings, modelNamed, textsOf } from './context-settings.ts';

const plain = contextSettings();
const PERMISSIONS = permissionsSection(plain.sandbox, plain.approvalPolicy);
const ENVIRONMENT = [
  '<environment_context>',
  '  <cwd>/repo</cwd>',
  '  <shell>bash</shell>',
  '  <current_date>2025-11-21</current_date>',
  '  <timezone>Europe/Berlin</timezone>',
  '</environment_context>',
].join('\n');

describe('the first context', () => {
  test('is one developer bundle and one contextual user message [CORE-70]', () => {
    const settings = contextSettings({ developerInstructions: 'Be brief.', projectInstructions: 'Use tabs.\n' });
    expect(PERMISSIONS).toMatch(
      /^<permissions instructions>\nSandbox mode: danger-full-access\. .*<\/permissions instructions>$/s,
    );
    expect(textsOf(contextMessages(settings, { baseline: undefined, history: [] }))).toEqual([
      ['developer', PERMISSIONS, 'Be brief.'],
      ['user', '# AGENTS.md instructions for /repo\n\n<INSTRUCTIONS>\nUse tabs.\n\n</INSTRUCTIONS>', ENVIRONMENT],
    ]);
  });

  test('holds everything that was chosen, the model switch first [CORE-70] [CORE-145]', () => {
    const settings = contextSettings({
      developerInstructions: 'Be brief.',
      collaborationMode: { mode: 'plan', instructions: 'Plan first.' },
      personality: 'friendly',
      model: modelNamed('new', {
        baseInstructions: 'Work as the new model does.',
        modelMessages: { personalityFriendly: 'Smile.' },
      }),
    });
    expect(textsOf(initialContext(settings, { previousModel: 'old' }))).toEqual([
      [
        'developer',
        [
          '<model_switch>',
          'This thread was served by another model until now. Go on from where it stands, under these instructions:',
          '',
          'Work as the new model does.',
          '</model_switch>',
        ].join('\n'),
        PERMISSIONS,
        'Be brief.',
        '<collaboration_mode>Plan first.</collaboration_mode>',
        '<personality_spec>Smile.</personality_spec>',
      ],
      ['user', ENVIRONMENT],
    ]);
  });

  test('tells no model switch to the model of before, or to the first one [CORE-145]', () => {
    const expected = [
      ['developer', PERMISSIONS],
      ['user', ENVIRONMENT],
    ];
    expect(textsOf(initialContext(plain, { previousModel: plain.model.slug }))).toEqual(expected);
    expect(textsOf(initialContext(plain, { previousModel: undefined }))).toEqual(expected);
    expect(textsOf(contextMessages(plain, { baseline: undefined, previousModel: 'old', history: [] }))[0]?.[1]).toMatch(
      /^<model_switch>\n.*\n\nBase instructions\.\n<\/model_switch>$/s,
    );
  });

  test('tells a personality unless the base instructions speak with it already [CORE-146]', () => {
    const sections = (changes: Parameters<typeof contextSettings>[0]) =>
      textsOf(initialContext(contextSettings(changes), { previousModel: undefined }))[0]?.slice(2);
    const taken = expect.stringMatching(/^<personality_spec>.+<\/personality_spec>$/);
    expect(sections({ personality: 'pragmatic', bakedPersonality: 'pragmatic' })).toEqual([]);
    expect(sections({ personality: 'pragmatic', bakedPersonality: 'friendly' })).toEqual([taken]);
    expect(sections({ personality: 'pragmatic' })).toEqual([taken]);
    expect(sections({ personality: 'none' })).toEqual([]);
    expect(sections({ personality: 'none', bakedPersonality: 'friendly' })).toEqual([taken]);
  });

  test('tells a personality once when the template of a new model speaks with it [CORE-146]', () => {
    const model = modelNamed('new', {
      modelMessages: { instructionsTemplate: 'New. {{ personality }}', personalityFriendly: 'Smile.' },
    });
    const [developer] = textsOf(
      initialContext(contextSettings({ model, personality: 'friendly' }), { previousModel: 'old' }),
    );
    expect(developer?.[1]).toMatch(/\n\nNew\. Smile\.\n<\/model_switch>$/);
    expect(developer?.slice(2)).toEqual([PERMISSIONS]);
  });
});

describe('the work trees of the first context [CORE-147]', () => {
  const own: GitFacts = {
    root: '/srv/repo',
    commitHash: 'abc',
    branch: 'main',
    remotes: { upstream: 'https://example.com/u.git', origin: 'https://example.com/a.git?x=1&y="2"' },
  };
  const other: GitFacts = { root: '/other/li<b', commitHash: undefined, branch: undefined, remotes: {} };
  const environment = { ...plain.environment, git: own, otherWorkspaces: [other, { ...own, commitHash: 'stale' }] };

  test('are all told, sorted by path, each once', () => {
    const settings = contextSettings({ environment });
    expect(textsOf(initialContext(settings, { previousModel: undefined }))[1]).toEqual([
      'user',
      [
        '<environment_context>',
        '  <cwd>/repo</cwd>',
        '  <shell>bash</shell>',
        '  <workspace_configuration>',
        '    <workspace path="/other/li&lt;b" hint="li&lt;b">',
        '    </workspace>',
        '    <workspace path="/srv/repo" hint="repo">',
        '      <latest_git_commit_hash>abc</latest_git_commit_hash>',
        '      <associated_remote_urls>',
        '        <remote name="origin">https://example.com/a.git?x=1&amp;y=&quot;2&quot;</remote>',
        '        <remote name="upstream">https://example.com/u.git</remote>',
        '      </associated_remote_urls>',
        '    </workspace>',
        '  </workspace_configuration>',
        '  <current_date>2025-11-21</current_date>',
        '  <timezone>Europe/Berlin</timezone>',
        '</environment_context>',
      ].join('\n'),
    ]);
  });

  test('are left out where that is switched off', () => {
    const settings = contextSettings({ environment, gitInContext: false });
    expect(textsOf(initialContext(settings, { previousModel: undefined }))[1]).toEqual(['user', ENVIRONMENT]);
  });
});
