import type { ResponseItem } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import {
  isContextual,
  isContextualDeveloperMessage,
  isContextualUserMessage,
  isMixedDeveloperMessage,
  isUserTurnBoundary,
  isWorkLedger,
  subagentNotificationMessage,
  turnAbortedMessage,
  updateMessages,
  userShellMessage,
  workLedgerMessage,
} from '../../src/context/fragments.ts';
import { developerText, textsOf, userText } from './context-settings.ts';

describe('a user message of the harness [CORE-140]', () => {
  test.each([
    '# AGENTS.md instructions for /repo\n\n<INSTRUCTIONS>\nUse tabs.\n</INSTRUCTIONS>',
    '# AGENTS.md instructions\n\n<INSTRUCTIONS>\nUse tabs.\n</INSTRUCTIONS>',
    '<environment_context>\n  <shell>bash</shell>\n</environment_context>',
    '<skill>\n<name>x</name>\n</skill>',
    '<user_shell_command>\n</user_shell_command>',
    '<turn_aborted>\nstopped\n</turn_aborted>',
    '<subagent_notification>{}</subagent_notification>',
    '<additional_context>\nsomething\n</additional_context>',
    '<additional_context>\n<work_ledger>\ngoal\n</work_ledger>\n</additional_context>',
    '<user_instructions>\nold\n</user_instructions>',
    ' \n<ENVIRONMENT_CONTEXT>x</Environment_Context>\t\n',
  ])('is known by both of its ends: %j', (text) => {
    const message = userText(text);
    expect({
      user: isContextualUserMessage(message),
      any: isContextual(message),
      turn: isUserTurnBoundary(message),
    }).toEqual({ user: true, any: true, turn: false });
  });

  test.each([
    '<environment_context> what does this tag mean?',
    'the end </environment_context>',
    '<user_action>\n  <context>A review.</context>\n</user_action>',
    '<turn_aborted>',
    'fix it',
    '',
  ])('is told from words of a person: %j', (text) => {
    const message = userText(text);
    expect({ any: isContextual(message), turn: isUserTurnBoundary(message) }).toEqual({ any: false, turn: true });
  });

  test('is one when any of its parts is', () => {
    const parts = ['by the way', '<environment_context></environment_context>'];
    const content = parts.map((text) => ({ type: 'input_text' as const, text }));
    expect(isContextualUserMessage({ type: 'message', role: 'user', content })).toBe(true);
    expect(isContextualUserMessage({ type: 'message', role: 'assistant', content })).toBe(false);
  });
});

describe('a developer message of the harness [CORE-141]', () => {
  test.each([
    '<permissions instructions>',
    '<model_switch>',
    '<collaboration_mode>',
    '<realtime_conversation>',
    '<skills_instructions>',
    '<personality_spec>',
    '<multi_agent_mode>',
    '<token_budget>',
    '<context_window>',
    '<rollout_budget>',
  ])('is known by how it starts: %s', (start) => {
    const message = developerText(` ${start.toUpperCase()} and whatever follows`);
    expect({
      developer: isContextualDeveloperMessage(message),
      any: isContextual(message),
      mixed: isMixedDeveloperMessage(message),
      turn: isUserTurnBoundary(message),
    }).toEqual({ developer: true, any: true, mixed: false, turn: false });
  });

  test('is mixed when it also holds text without a known tag', () => {
    expect(isMixedDeveloperMessage(developerText('<permissions instructions>x', 'Be brief.'))).toBe(true);
    expect(isMixedDeveloperMessage(developerText('Be brief.'))).toBe(false);
    expect(isContextual(developerText('Be brief.'))).toBe(false);
  });

  test('is not a user message with the same text', () => {
    expect(isContextual(userText('<personality_spec>x</personality_spec>'))).toBe(false);
  });
});

test('a message of another agent begins a turn, other foreign items do not [CORE-142]', () => {
  const unknown = (type: string): ResponseItem => ({ type: 'unknown', raw: { type } });
  expect(isUserTurnBoundary(unknown('agent_message'))).toBe(true);
  expect(isUserTurnBoundary(unknown('note'))).toBe(false);
  expect(isUserTurnBoundary({ type: 'compaction', encrypted_content: 'x' })).toBe(false);
});

test('an update has its sections in the order of the table, whatever order they were given in [CORE-143]', () => {
  expect(
    textsOf(
      updateMessages({
        environment: 'environment',
        'project-instructions': 'project',
        personality: 'personality',
        'collaboration-mode': 'mode',
        'developer-instructions': 'developer',
        permissions: 'permissions',
        'model-switch': 'switch',
      }),
    ),
  ).toEqual([
    ['developer', 'switch', 'permissions', 'developer', 'mode', 'personality'],
    ['user', 'project', 'environment'],
  ]);
});

test('an empty section is left out, and so is a message without sections [CORE-143]', () => {
  expect(updateMessages({ permissions: '', environment: undefined })).toEqual([]);
  expect(textsOf(updateMessages({ 'developer-instructions': '', environment: 'x' }))).toEqual([['user', 'x']]);
});

describe('a record of something that happened [CORE-144]', () => {
  test('holds a user command as other programs write it', () => {
    const message = userShellMessage({ command: 'echo hi', exitCode: 0, durationMs: 21.84, output: 'hi\n' });
    expect(message).toEqual(
      userText(
        [
          '<user_shell_command>',
          '<command>',
          'echo hi',
          '</command>',
          '<result>',
          'Exit code: 0',
          'Duration: 0.0218 seconds',
          'Output:',
          'hi',
          '',
          '</result>',
          '</user_shell_command>',
        ].join('\n'),
      ),
    );
  });

  test('is contextual and begins no turn', () => {
    const records = [
      turnAbortedMessage(),
      userShellMessage({ command: 'x', exitCode: -1, durationMs: 3_600_000, output: '' }),
      subagentNotificationMessage('{"agent_id":"a","status":"shutdown"}'),
      workLedgerMessage('Goal: ship it'),
    ];
    expect(records.map(isContextual)).toEqual([true, true, true, true]);
    expect(records.map(isUserTurnBoundary)).toEqual([false, false, false, false]);
    expect(records.map(isWorkLedger)).toEqual([false, false, false, true]);
  });

  test('keeps the ledger verbatim between its tags', () => {
    expect(workLedgerMessage('Goal: ship it')).toEqual(
      userText('<additional_context>\n<work_ledger>\nGoal: ship it\n</work_ledger>\n</additional_context>'),
    );
    expect(isWorkLedger(userText('<additional_context>\nother\n</additional_context>'))).toBe(false);
  });
});
