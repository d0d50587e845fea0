import type { ModelInfo, ResponseItem, TurnContextLine } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { contextMessages, initialContext, turnContextLine } from '../../src/context/initial-context.ts';
import { personalityText } from '../../src/context/model-instructions.ts';
import { permissionsSection } from '../../src/context/permissions.ts';
import type { ThreadSettings } from '../../src/thread/settings.ts';
import { contextSettings, modelNamed, textsOf, userText } from './context-settings.ts';

type Changes = Partial<ThreadSettings>;

const PLAIN = contextSettings();

function lineOf(settings: ThreadSettings): TurnContextLine {
  return turnContextLine(settings, { turnId: undefined, outputSchema: undefined });
}

/** What is told when a thread with the settings `before` goes on with `after`. */
function told(
  before: Changes,
  after: Changes,
  known: {
    readonly line?: Partial<TurnContextLine>;
    readonly previousModel?: string;
    readonly history?: readonly ResponseItem[];
  } = {},
) {
  const settings = contextSettings(before);
  return textsOf(
    contextMessages(contextSettings(after), {
      baseline: { ...lineOf(settings), ...known.line },
      previousModel: known.previousModel,
      history: known.history ?? initialContext(settings, { previousModel: undefined }),
    }),
  );
}

function switchSection(text: string): string {
  const introduction =
    'This thread was served by another model until now. Go on from where it stands, under these instructions:';
  return `<model_switch>\n${introduction}\n\n${text}\n</model_switch>`;
}

const ownWords = (name: 'none' | 'friendly' | 'pragmatic', model: ModelInfo = PLAIN.model) =>
  `<personality_spec>${personalityText(model, name)}</personality_spec>`;

test('an unchanged turn tells nothing [CORE-148]', () => {
  const rich: Changes = {
    personality: 'friendly',
    collaborationMode: { mode: 'plan', instructions: 'Plan first.' },
    projectInstructions: 'Use tabs.',
    developerInstructions: 'Be brief.',
  };
  expect(told({}, {})).toEqual([]);
  expect(told(rich, rich)).toEqual([]);
});

test('many changes come as one developer message and one user message [CORE-148]', () => {
  const after: Changes = {
    cwd: '/else',
    approvalPolicy: 'on-request',
    collaborationMode: { mode: 'plan', instructions: 'Plan first.' },
    personality: 'pragmatic',
    projectInstructions: 'Use spaces.',
  };
  expect(told({ projectInstructions: 'Use tabs.' }, after)).toEqual([
    [
      'developer',
      permissionsSection(PLAIN.sandbox, 'on-request'),
      '<collaboration_mode>Plan first.</collaboration_mode>',
      ownWords('pragmatic'),
    ],
    [
      'user',
      '# AGENTS.md instructions for /else\n\n<INSTRUCTIONS>\nUse spaces.\n</INSTRUCTIONS>',
      [
        '<environment_context>',
        '  <cwd>/else</cwd>',
        '  <shell>bash</shell>',
        '  <current_date>2025-11-21</current_date>',
        '  <timezone>Europe/Berlin</timezone>',
        '</environment_context>',
      ].join('\n'),
    ],
  ]);
});

describe('a model that takes over [CORE-149]', () => {
  const other = modelNamed('other');

  test('is told its own instructions, else those of the thread', () => {
    const withText = modelNamed('other', { baseInstructions: 'Other.' });
    const withTemplate = modelNamed('other', {
      baseInstructions: 'Unused.',
      modelMessages: { instructionsTemplate: 'Template{{ personality }}.', personalityDefault: ' by default' },
    });
    expect(told({}, { model: withText })).toEqual([['developer', switchSection('Other.')]]);
    expect(told({}, { model: withTemplate })).toEqual([['developer', switchSection('Template by default.')]]);
    expect(told({}, { model: other })).toEqual([['developer', switchSection('Base instructions.')]]);
  });

  test('is found by the last regular turn, not by the baseline', () => {
    expect(told({}, { model: other }, { previousModel: 'other' })).toEqual([]);
    expect(told({}, {}, { previousModel: 'other' })).toEqual([['developer', switchSection('Base instructions.')]]);
  });

  test('hears a new personality as part of its instructions', () => {
    const withPlace = modelNamed('other', {
      modelMessages: { instructionsTemplate: 'New. {{ personality }}', personalityFriendly: 'Smile.' },
    });
    expect(told({}, { model: withPlace, personality: 'friendly' })).toEqual([
      ['developer', switchSection('New. Smile.')],
    ]);
    expect(told({}, { model: other, personality: 'friendly' })).toEqual([
      ['developer', switchSection(`Base instructions.\n\n${personalityText(other, 'friendly')}`)],
    ]);
    expect(told({}, { model: other, personality: 'friendly', bakedPersonality: 'friendly' })).toEqual([
      ['developer', switchSection('Base instructions.')],
    ]);
    expect(told({}, { model: other, personality: 'none' })).toEqual([
      ['developer', switchSection('Base instructions.')],
    ]);
  });
});

describe('permissions are told again when they mean something else [CORE-150]', () => {
  const sandbox = { ...PLAIN.sandbox, mode: 'workspace-write', writableRoots: ['/b', '/a'] } as const;

  test.each<[string, Changes]>([
    ['another approval policy', { sandbox, approvalPolicy: 'on-request' }],
    ['another mode', { sandbox: { ...sandbox, mode: 'read-only' } }],
    ['other roots', { sandbox: { ...sandbox, writableRoots: ['/a'] } }],
    ['the network', { sandbox: { ...sandbox, networkAccess: true } }],
    ['a temporary folder', { sandbox: { ...sandbox, excludeSlashTmp: true } }],
    ['the other temporary folder', { sandbox: { ...sandbox, excludeTmpdirEnvVar: true } }],
  ])('%s', (_, after) => {
    const { sandbox: policy, approvalPolicy } = contextSettings(after);
    expect(told({ sandbox }, after)).toEqual([['developer', permissionsSection(policy, approvalPolicy)]]);
  });

  test.each<[string, Changes, TurnContextLine['sandbox_policy']]>([
    [
      'keys and roots in another order',
      { sandbox },
      {
        exclude_slash_tmp: false,
        writable_roots: ['/a', '/b'],
        network_access: false,
        exclude_tmpdir_env_var: false,
        type: 'workspace-write',
      },
    ],
    ['usual values left out', { sandbox: { ...sandbox, writableRoots: [] } }, { type: 'workspace-write' }],
    [
      'keys of another program',
      { sandbox: { ...sandbox, mode: 'read-only' } },
      { type: 'read-only', network_access: false, access: { type: 'full-access' } },
    ],
  ])('%s mean the same', (_, settings, policy) => {
    expect(told(settings, settings, { line: { sandbox_policy: policy } })).toEqual([]);
  });

  test('a line without a policy says nothing, so it is told', () => {
    const expected = [['developer', permissionsSection(PLAIN.sandbox, PLAIN.approvalPolicy)]];
    expect(told({}, {}, { line: { sandbox_policy: {} } })).toEqual(expected);
  });
});

describe('a collaboration mode [CORE-151]', () => {
  const plan = { mode: 'plan', instructions: 'Plan first.' };

  test.each<[string, Changes['collaborationMode'], Changes['collaborationMode'], readonly string[]]>([
    ['is told when it is new', undefined, plan, ['Plan first.']],
    ['is told when it is another', { mode: 'default', instructions: 'Do.' }, plan, ['Plan first.']],
    ['without instructions tells nothing', plan, { mode: 'default', instructions: undefined }, []],
    ['with empty instructions tells nothing', plan, { mode: 'default', instructions: '' }, []],
    ['that ended tells nothing', plan, undefined, []],
    ['of the same name tells nothing, even in other words', plan, { mode: 'plan', instructions: 'Else.' }, []],
  ])('%s', (_, before, after, texts) => {
    expect(told({ collaborationMode: before }, { collaborationMode: after })).toEqual(
      texts.map((text) => ['developer', `<collaboration_mode>${text}</collaboration_mode>`]),
    );
  });

  test('is kept in the line of the turn as other programs keep it', () => {
    const settings = contextSettings({ collaborationMode: plan, reasoningEffort: 'high', personality: 'friendly' });
    const { collaboration_mode: mode, personality } = lineOf(settings);
    expect({ mode, personality }).toEqual({
      mode: {
        mode: 'plan',
        settings: { model: 'gpt-5.1-codex', reasoning_effort: 'high', developer_instructions: 'Plan first.' },
      },
      personality: 'friendly',
    });
    expect(Object.keys(lineOf(PLAIN))).not.toEqual(expect.arrayContaining(['collaboration_mode']));
  });
});

describe('a personality [CORE-152]', () => {
  const model = modelNamed('m', { modelMessages: { personalityFriendly: 'Smile.' } });

  test.each<[string, Changes, Changes, readonly string[]]>([
    ['is told when it is new', {}, { personality: 'friendly' }, [ownWords('friendly')]],
    [
      "is told in the model's words",
      { model },
      { model, personality: 'friendly' },
      ['<personality_spec>Smile.</personality_spec>'],
    ],
    ['is told when it changed', { personality: 'friendly' }, { personality: 'pragmatic' }, [ownWords('pragmatic')]],
    ['can be taken back', { personality: 'friendly' }, { personality: 'none' }, [ownWords('none')]],
    ['that is not set any more tells nothing', { personality: 'friendly' }, {}, []],
    [
      'can go back to the one of the base instructions',
      { personality: 'friendly', bakedPersonality: 'pragmatic' },
      { personality: 'pragmatic', bakedPersonality: 'pragmatic' },
      [ownWords('pragmatic')],
    ],
  ])('%s', (_, before, after, texts) => {
    expect(told(before, after)).toEqual(texts.map((text) => ['developer', text]));
  });

  test('of an older line is the one of the base instructions', () => {
    const { personality: _, ...line } = lineOf(PLAIN);
    const settings = contextSettings({ personality: 'pragmatic', bakedPersonality: 'pragmatic' });
    expect(contextMessages(settings, { baseline: line, history: [] })).toEqual([]);
  });
});

describe('the environment [CORE-153]', () => {
  const section = (...lines: readonly string[]) =>
    ['<environment_context>', '  <shell>bash</shell>', ...lines, '</environment_context>'].join('\n');
  const place = (changes: Partial<ThreadSettings['environment']>): Changes => ({
    environment: { ...PLAIN.environment, ...changes },
  });
  const date = '  <current_date>2025-11-22</current_date>';
  const zone = '  <timezone>Europe/Berlin</timezone>';

  test.each<[string, Changes, readonly string[]]>([
    ['is told on another day, without the directory', place({ currentDate: '2025-11-22' }), [section(date, zone)]],
    [
      'is told in another time zone',
      place({ timezone: 'Asia/Tokyo' }),
      [section('  <current_date>2025-11-21</current_date>', '  <timezone>Asia/Tokyo</timezone>')],
    ],
    ['is not told for another shell', place({ shellName: 'zsh' }), []],
    [
      'is not told for another commit',
      place({ git: { root: '/repo', commitHash: 'b', branch: undefined, remotes: {} } }),
      [],
    ],
    ['is not told for what is not known any more', place({ currentDate: undefined, timezone: undefined }), []],
  ])('%s', (_, after, texts) => {
    expect(told({}, after)).toEqual(texts.map((text) => ['user', text]));
  });

  test('that a line leaves out is looked up in what the history told', () => {
    const { current_date: _, timezone: __, ...line } = lineOf(PLAIN);
    const history = initialContext(PLAIN, { previousModel: undefined });
    const later = contextSettings(place({ currentDate: '2025-11-22' }));
    expect(contextMessages(PLAIN, { baseline: line, history })).toEqual([]);
    expect(textsOf(contextMessages(later, { baseline: line, history }))).toEqual([['user', section(date, zone)]]);
    expect(textsOf(contextMessages(later, { baseline: line, history: [] }))).toEqual([['user', section(date, zone)]]);
  });
});

describe('project instructions [CORE-154]', () => {
  const tabs: Changes = { projectInstructions: 'Use tabs.' };
  const block = (text: string, place = ' for /repo') =>
    `# AGENTS.md instructions${place}\n\n<INSTRUCTIONS>\n${text}\n</INSTRUCTIONS>`;
  const ended = block('The project instructions given before no longer apply.');

  test.each<[string, Changes, Changes, readonly string[]]>([
    ['are told when they are new', {}, tabs, [block('Use tabs.')]],
    ['are told when they changed', tabs, { projectInstructions: 'Use spaces.' }, [block('Use spaces.')]],
    ['are said to have ended', tabs, {}, [ended]],
  ])('%s', (_, before, after, texts) => {
    expect(told(before, after)).toEqual(texts.map((text) => ['user', text]));
  });

  test('are not told again when another program left the directory out of the heading', () => {
    expect(told(tabs, tabs, { history: [userText(block('Use tabs.', ''))] })).toEqual([]);
  });

  test('end once, also when the thread moves on', () => {
    const moved = { cwd: '/else', environment: { ...PLAIN.environment, currentDate: undefined, timezone: undefined } };
    expect(told({}, {}, { history: [userText(block('Use tabs.')), userText(ended)] })).toEqual([]);
    expect(told({}, moved, { history: [userText(ended)] })).toEqual([
      ['user', '<environment_context>\n  <cwd>/else</cwd>\n  <shell>bash</shell>\n</environment_context>'],
    ]);
  });
});
