import { isJsonObject, type JsonObject, type JsonValue, stringAt, type ToolCallItem } from '@quire/protocol';
import type { Question, QuestionAnswers } from '../ports/approvals.ts';
import type { ThreadSettings } from '../thread/settings.ts';
import { type ArgumentReading, invalid, parseArguments } from './call-arguments.ts';
import type { Tool, ToolContext, ToolResult } from './tool.ts';
import { toolError } from './tool-router.ts';

const MAX_QUESTIONS = 3;
const PLAN_MODE = 'plan';
/** Name among the optional tools that lets questions through in other modes. Source: the peer's feature. */
const IN_EVERY_MODE = 'default_mode_request_user_input';

/** Puts questions with choices to the person and waits for the answers. Not for sub-agents. */
export class RequestUserInputTool implements Tool {
  readonly name = 'request_user_input';
  readonly kind = 'question';
  readonly parallelSafe = false;
  readonly spec = {
    type: 'function',
    name: 'request_user_input',
    description:
      'Asks the user one to three short questions and waits for the answers. Offer two or three choices each, the one you advise first; the user can always write an answer of their own. Only for decisions that you can not make from the code; available in Plan mode.',
    strict: false,
    parameters: {
      type: 'object',
      properties: {
        questions: {
          type: 'array',
          minItems: 1,
          maxItems: MAX_QUESTIONS,
          items: {
            type: 'object',
            properties: {
              id: { type: 'string', description: 'Name of the answer, in snake_case; unique in this call.' },
              header: { type: 'string', description: 'One or two words to show above the question.' },
              question: { type: 'string', description: 'One sentence.' },
              options: {
                type: 'array',
                items: {
                  type: 'object',
                  properties: {
                    label: { type: 'string', description: 'One to five words.' },
                    description: { type: 'string', description: 'What choosing it means, in a sentence.' },
                  },
                  required: ['label', 'description'],
                  additionalProperties: false,
                },
              },
            },
            required: ['id', 'header', 'question', 'options'],
            additionalProperties: false,
          },
        },
      },
      required: ['questions'],
      additionalProperties: false,
    },
  } as const;

  async run(call: ToolCallItem, context: ToolContext): Promise<ToolResult> {
    const refusal = unavailable(context.settings);
    if (refusal !== undefined) return toolError(call, this.name, refusal);
    const parsed = parseArguments(call);
    const questions = parsed.kind === 'ok' ? readQuestions(parsed.value) : parsed;
    if (questions.kind === 'invalid') return toolError(call, this.name, questions.message);
    const { approvals, turnId, signal } = context;
    if (approvals.isMute) {
      return toolError(
        call,
        this.name,
        `${this.name} failed: nobody is there to answer; decide by yourself and say so`,
      );
    }
    const callId = call.call_id ?? this.name;
    const answers = await approvals.answer(questions.value, { callId, turnId, signal });
    if (answers === undefined) {
      return toolError(call, this.name, `${this.name} was cancelled: the questions were not answered`);
    }
    return { output: answersJson(questions.value, answers), endItem: undefined };
  }
}

function unavailable({ collaborationMode, tools }: ThreadSettings): string | undefined {
  const mode = collaborationMode?.mode ?? 'default';
  if (mode === PLAN_MODE || tools.enabled.has(IN_EVERY_MODE)) return undefined;
  return `request_user_input is unavailable in ${mode.slice(0, 1).toUpperCase()}${mode.slice(1)} mode`;
}

function readQuestions(args: JsonObject): ArgumentReading<readonly Question[]> {
  const entries = args['questions'];
  if (!Array.isArray(entries)) return invalid('missing field `questions`: a list of questions');
  if (entries.length === 0 || entries.length > MAX_QUESTIONS) {
    return invalid(`\`questions\` must hold 1 to ${MAX_QUESTIONS} questions, found ${entries.length}`);
  }
  const questions: Question[] = [];
  for (const [index, entry] of (entries as readonly JsonValue[]).entries()) {
    const question = readQuestion(entry);
    if (question === undefined) {
      return invalid(
        `question ${index + 1} needs \`id\`, \`header\`, \`question\` and at least one of \`options\` with \`label\` and \`description\``,
      );
    }
    if (questions.some(({ id }) => id === question.id)) return invalid(`two questions have the id \`${question.id}\``);
    questions.push(question);
  }
  return { kind: 'ok', value: questions };
}

function readQuestion(entry: JsonValue): Question | undefined {
  if (!isJsonObject(entry)) return undefined;
  const [id, header, question] = [stringAt(entry, 'id'), stringAt(entry, 'header'), stringAt(entry, 'question')];
  const options = entry['options'];
  if (id === undefined || header === undefined || question === undefined || !Array.isArray(options)) return undefined;
  const choices: { readonly label: string; readonly description: string }[] = [];
  for (const option of options as readonly JsonValue[]) {
    const label = isJsonObject(option) ? stringAt(option, 'label') : undefined;
    if (!isJsonObject(option) || label === undefined) return undefined;
    choices.push({ label, description: stringAt(option, 'description') ?? '' });
  }
  return choices.length === 0 ? undefined : { id, header, question, options: choices };
}

/** One entry per question that was answered. Source: the peer, 0.169. */
function answersJson(questions: readonly Question[], answers: NonNullable<QuestionAnswers>): string {
  const entries = questions.flatMap(({ id }) => {
    const given = Object.hasOwn(answers, id) ? answers[id] : undefined;
    return given === undefined ? [] : [[id, { answers: given }] as const];
  });
  return JSON.stringify({ answers: Object.fromEntries(entries) });
}
