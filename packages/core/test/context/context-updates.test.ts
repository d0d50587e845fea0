import type { ResponseItem, TurnContextLine } from '@quire/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isContextual, isUserTurnBoundary } from '../../src/context/fragments.ts';
import { contextMessages, turnContextLine } from '../../src/context/initial-context.ts';
import type { ThreadSettings } from '../../src/thread/settings.ts';
import { contextSettings, modelNamed, textsOf, userText } from './context-settings.ts';

const MODELS = [
  modelNamed('plain'),
  modelNamed('with-text', { baseInstructions: 'Text of the model.' }),
  modelNamed('with-template', {
    modelMessages: { instructionsTemplate: 'Template. {{ personality }}', personalityFriendly: 'Smile.' },
  }),
];
const text = fc.constantFrom('a', 'b', '<environment_context>', '</INSTRUCTIONS>\n');
const optional = <Value>(values: fc.Arbitrary<Value>) => fc.option(values, { nil: undefined });

const anySettings: fc.Arbitrary<ThreadSettings> = fc
  .record({
    cwd: fc.constantFrom('/repo', '/else'),
    model: fc.constantFrom(...MODELS),
    personality: optional(fc.constantFrom('none', 'friendly', 'pragmatic')),
    collaborationMode: optional(fc.record({ mode: fc.constantFrom('default', 'plan'), instructions: optional(text) })),
    developerInstructions: optional(text),
    projectInstructions: optional(text),
    approvalPolicy: fc.constantFrom('never', 'on-request'),
    sandbox: fc.record({
      mode: fc.constantFrom('read-only', 'workspace-write', 'danger-full-access'),
      writableRoots: fc.subarray(['/a', '/b']),
      networkAccess: fc.boolean(),
      excludeTmpdirEnvVar: fc.boolean(),
      excludeSlashTmp: fc.boolean(),
    }),
    environment: fc.record({
      shellName: fc.constantFrom('bash', 'zsh'),
      currentDate: optional(fc.constantFrom('2025-11-21', '2025-11-22')),
      timezone: optional(fc.constantFrom('Europe/Berlin', 'Asia/Tokyo')),
      git: fc.constant(undefined),
      otherWorkspaces: fc.constant([]),
    }),
  })
  .map((changes) => contextSettings(changes));

/** A turn with new settings, the same settings again, or a baseline that a compaction cleared. */
const anySteps = fc.array(fc.record({ settings: optional(anySettings), isCleared: fc.boolean() }), {
  minLength: 1,
  maxLength: 8,
});

/** What each kind of section depends on: it is told only when this changed. */
const SOURCES: Readonly<Record<string, (settings: ThreadSettings) => unknown>> = {
  '<model_switch>': ({ model }) => model.slug,
  '<permissions instructions>': ({ approvalPolicy, sandbox }) => [
    approvalPolicy,
    sandbox.mode === 'workspace-write' ? sandbox : sandbox.mode,
  ],
  '<collaboration_mode>': ({ collaborationMode }) => collaborationMode?.mode,
  '<personality_spec>': ({ personality }) => personality,
  '# AGENTS.md': ({ cwd, projectInstructions }) => [cwd, projectInstructions],
  '<environment_context>': ({ cwd, environment }) => [cwd, environment.currentDate, environment.timezone],
};

test('each update is at most one message of each role, and tells only what changed [CORE-159]', () => {
  fc.assert(
    fc.property(anySettings, anySteps, (first, steps) => {
      const history: ResponseItem[] = [];
      let baseline: TurnContextLine | undefined;
      let previous: ThreadSettings | undefined;
      for (const step of [{ settings: first, isCleared: false }, ...steps]) {
        const settings = step.settings ?? previous ?? first;
        if (step.isCleared) baseline = undefined;
        const update = contextMessages(settings, { baseline, previousModel: previous?.model.slug, history });

        expect([[], ['developer'], ['user'], ['developer', 'user']]).toContainEqual(update.map(({ role }) => role));
        expect(update.every((message) => isContextual(message) && !isUserTurnBoundary(message))).toBe(true);
        if (baseline === undefined) expect(update.length).toBe(2);
        else if (settings === previous) expect(update).toEqual([]);
        else if (previous !== undefined) expectOnlyChanges(update, { before: previous, after: settings });

        history.push(...update, userText('go on'));
        // Read back from a file, with its keys in another order.
        baseline = reordered(turnContextLine(settings, { turnId: undefined, outputSchema: undefined }));
        previous = settings;
      }
    }),
    { numRuns: 500 },
  );
});

function expectOnlyChanges(
  update: readonly ResponseItem[],
  { before, after }: { readonly before: ThreadSettings; readonly after: ThreadSettings },
): void {
  const sections = textsOf(update).flatMap(([, ...texts]) => texts);
  const kinds = sections.map((section) => Object.keys(SOURCES).find((start) => section.startsWith(start)));
  expect(new Set(kinds).size).toBe(kinds.length);
  for (const kind of kinds) {
    const source = SOURCES[kind ?? ''];
    expect({ kind, value: source?.(after) }).not.toEqual({ kind, value: source?.(before) });
  }
  expect(kinds.includes('<model_switch>')).toBe(before.model.slug !== after.model.slug);
}

function reordered(line: TurnContextLine): TurnContextLine {
  const turned = JSON.parse(JSON.stringify(line), (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).reverse())
      : value,
  );
  return turned as TurnContextLine;
}
