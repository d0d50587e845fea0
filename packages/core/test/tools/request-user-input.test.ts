import type { ToolCallItem, TurnId } from '@quire/protocol';
import { expect, test } from 'vitest';
import { ApprovalDesk } from '../../src/approval/approval-desk.ts';
import type { Approvals, Question, QuestionAnswers } from '../../src/ports/approvals.ts';
import type { ThreadSettings } from '../../src/thread/settings.ts';
import { RequestUserInputTool } from '../../src/tools/request-user-input.ts';
import type { ToolResult } from '../../src/tools/tool.ts';
import { ToolRouter } from '../../src/tools/tool-router.ts';
import { FakeClock, settings } from '../thread/harness.ts';

const PLAN = settings({ collaborationMode: { mode: 'plan', instructions: undefined } });
const QUESTION: Question = {
  id: 'store',
  header: 'Store',
  question: 'Where to keep it?',
  options: [{ label: 'In a file', description: 'Simple.' }],
};

interface Asked {
  readonly result: ToolResult;
  readonly asked: readonly unknown[];
}

async function ask(
  args: object,
  given: {
    readonly settings?: ThreadSettings;
    readonly answers?: QuestionAnswers;
    readonly mute?: true;
    readonly broken?: true;
  } = {},
): Promise<Asked> {
  const asked: unknown[] = [];
  const approvals: Approvals = {
    ask: async () => ({ kind: 'denied' }),
    ...(given.mute === true
      ? {}
      : {
          answer: async (questions, { callId, turnId }) => {
            asked.push({ questions, callId, turnId });
            if (given.broken === true) throw new Error('the window is gone');
            return given.answers;
          },
        }),
  };
  const call: ToolCallItem = {
    type: 'function_call',
    name: 'request_user_input',
    call_id: 'c1',
    arguments: JSON.stringify(args),
  };
  const router = new ToolRouter([new RequestUserInputTool()], { clock: new FakeClock() });
  const result = await router.dispatch(call, {
    turnId: 'turn' as TurnId,
    settings: given.settings ?? PLAN,
    signal: new AbortController().signal,
    emit: () => undefined,
    approvals: new ApprovalDesk({ approvals }),
    interrupt: () => undefined,
  });
  return { result, asked };
}

function refusal(message: string): ToolResult {
  return {
    output: message,
    endItem: { kind: 'tool-error', id: 'c1', tool: 'request_user_input', message },
    failed: true,
  };
}

test('questions are put to the person and the answers told by question [DYN-20]', async () => {
  const questions = [QUESTION, { ...QUESTION, id: 'when' }, { ...QUESTION, id: 'left_out' }];
  const { result, asked } = await ask(
    { questions },
    { answers: { when: ['Now', 'Later'], store: ['In a file'], odd: ['x'] } },
  );
  expect(asked).toEqual([{ questions, callId: 'c1', turnId: 'turn' }]);
  expect(result).toEqual({
    output: '{"answers":{"store":{"answers":["In a file"]},"when":{"answers":["Now","Later"]}}}',
    endItem: undefined,
  });
});

test('questions are refused outside of plan mode, unless a feature lets them through [DYN-21]', async () => {
  const questions = [QUESTION];
  const refused = await ask({ questions }, { settings: settings() });
  expect(refused).toEqual({ result: refusal('request_user_input is unavailable in Default mode'), asked: [] });
  const other = settings({ collaborationMode: { mode: 'execute', instructions: undefined } });
  expect((await ask({ questions }, { settings: other })).result).toEqual(
    refusal('request_user_input is unavailable in Execute mode'),
  );
  const { tools } = settings();
  const featured = settings({ tools: { ...tools, enabled: new Set(['default_mode_request_user_input']) } });
  const answered = await ask({ questions }, { settings: featured, answers: { store: ['x'] } });
  expect(answered.result.output).toBe('{"answers":{"store":{"answers":["x"]}}}');
});

test('questions that nobody answers, or nobody could, are told apart [DYN-22]', async () => {
  const questions = [QUESTION];
  expect((await ask({ questions })).result).toEqual(
    refusal('request_user_input was cancelled: the questions were not answered'),
  );
  expect((await ask({ questions }, { broken: true })).result).toEqual(
    refusal('request_user_input was cancelled: the questions were not answered'),
  );
  expect((await ask({ questions }, { mute: true })).result).toEqual(
    refusal('request_user_input failed: nobody is there to answer; decide by yourself and say so'),
  );
});

const INCOMPLETE =
  'question 1 needs `id`, `header`, `question` and at least one of `options` with `label` and `description`';

test.each<[object, string]>([
  [{}, 'missing field `questions`: a list of questions'],
  [{ questions: [] }, '`questions` must hold 1 to 3 questions, found 0'],
  [{ questions: [1, 2, 3, 4] }, '`questions` must hold 1 to 3 questions, found 4'],
  [{ questions: ['x'] }, INCOMPLETE],
  [{ questions: [{ ...QUESTION, options: [] }] }, INCOMPLETE],
  [{ questions: [{ ...QUESTION, options: [{ description: 'x' }] }] }, INCOMPLETE],
  [{ questions: [{ id: 'a', header: 'b', options: QUESTION.options }] }, INCOMPLETE],
  [{ questions: [QUESTION, QUESTION] }, 'two questions have the id `store`'],
])('%j is no set of questions, and nobody is asked [DYN-23]', async (args, message) => {
  const { result, asked } = await ask(args, { answers: { store: ['x'] } });
  expect(result).toEqual(refusal(`failed to parse function arguments: ${message}`));
  expect(asked).toEqual([]);
});
