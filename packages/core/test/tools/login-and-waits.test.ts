import type { JsonObject, ToolSpec } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { CommandCalls } from './support/command-calls.ts';

const LOGIN_OFF = { settings: { commands: { allowLoginShell: false, longestPollMs: 300_000 } } };
const REFUSAL =
  '`login` can not be true: login shells are switched off in the configuration (`allow_login_shell`); leave it out';

const SCRIPTS: readonly (readonly [tool: string, script: JsonObject])[] = [
  ['shell_command', { command: 'make it' }],
  ['exec_command', { cmd: 'make it' }],
];

function propertiesOf(spec: ToolSpec | undefined): JsonObject {
  if (spec?.type !== 'function') throw new Error('a function tool was expected');
  return (spec.parameters as JsonObject)['properties'] as JsonObject;
}

describe('where login shells are switched off', () => {
  test('no tool offers one [CMD-70]', () => {
    for (const form of ['shell-command', 'unified-exec'] as const) {
      const [on, off] = [new CommandCalls({ form }), new CommandCalls({ form, ...LOGIN_OFF })];
      const { login, ...others } = propertiesOf(on.specs[0]);
      expect(login).toMatchObject({ type: 'boolean' });
      expect(propertiesOf(off.specs[0])).toEqual(others);
    }
    const [spec] = new CommandCalls({ form: 'shell', ...LOGIN_OFF }).specs;
    expect(spec).toMatchObject({ description: expect.stringContaining('["bash", "-c", SCRIPT]') });
    const [usual] = new CommandCalls({ form: 'shell' }).specs;
    expect(usual).toMatchObject({ description: expect.stringContaining('["bash", "-lc", SCRIPT]') });
  });

  test.each(SCRIPTS)('%s runs in a plain shell unless it is told otherwise [CMD-70]', async (tool, script) => {
    for (const more of [{}, { login: false }, { login: null }]) {
      const calls = new CommandCalls(LOGIN_OFF);
      await calls.call(tool, { ...script, ...more });
      expect(calls.runner.commands).toMatchObject([{ script: 'make it', login: false }]);
    }
  });

  test.each(SCRIPTS)('%s with `login: true` is refused, and nothing runs [CMD-71]', async (tool, script) => {
    const calls = new CommandCalls(LOGIN_OFF);
    const { output, result } = await calls.call(tool, { ...script, login: true });
    expect(output).toBe(REFUSAL);
    expect(result.failed).toBe(true);
    expect(calls.runner.commands).toEqual([]);
  });

  test.each(SCRIPTS)('%s with a login of the wrong type is told so [CMD-71]', async (tool, script) => {
    const { output } = await new CommandCalls(LOGIN_OFF).call(tool, { ...script, login: 'yes' });
    expect(output).toBe('failed to parse function arguments: `login` must be a boolean');
  });
});

describe('the longest wait of a look that types nothing', () => {
  const cases: readonly (readonly [setting: number, asked: number | undefined, waited: number])[] = [
    [7_000, 60_000, 7_000],
    [7_000, 6_000, 6_000],
    [7_000, undefined, 5_000],
    [1_000, 60_000, 5_000],
    [0, 60_000, 5_000],
    [900_000, 600_000, 600_000],
  ];
  test.each(cases)('with the setting %d a look of %d ms takes %d [CMD-72]', async (longestPollMs, asked, waited) => {
    const calls = new CommandCalls({ settings: { commands: { allowLoginShell: true, longestPollMs } } });
    const time = asked === undefined ? {} : { yield_time_ms: asked };
    await calls.call('write_stdin', { session_id: 7, ...time });
    await calls.call('write_stdin', { session_id: 7, chars: 'x', yield_time_ms: 60_000 });
    expect(calls.runner.writes).toEqual([
      { id: 7, text: '', yieldMs: waited },
      { id: 7, text: 'x', yieldMs: 30_000 },
    ]);
  });

  test.each([
    [7_000, 7_000],
    [0, 5_000],
    [300_000, 300_000],
  ])('with the setting %d the model is told of %d [CMD-72]', (longestPollMs, told) => {
    const commands = { allowLoginShell: true, longestPollMs };
    const [, spec] = new CommandCalls({ form: 'unified-exec', settings: { commands } }).specs;
    expect(propertiesOf(spec)['yield_time_ms']).toEqual({
      type: 'number',
      description: `How long to wait, in milliseconds. Default: 250 after typing, at most 30000; 5000 otherwise, at most ${told}.`,
    });
  });
});
