import { isJsonObject, type JsonObject, type PlanStep, stringAt, type ToolCallItem } from '@quire/protocol';
import { type ArgumentReading, invalid, parseArguments } from './call-arguments.ts';
import type { Tool, ToolContext, ToolResult } from './tool.ts';
import { toolError } from './tool-router.ts';

const STATUSES: readonly string[] = ['pending', 'in_progress', 'completed'];

/** Keeps the latest plan of a turn; its item ends when the turn does. */
export class UpdatePlanTool implements Tool {
  readonly name = 'update_plan';
  readonly kind = 'plan';
  readonly parallelSafe = false;
  readonly spec = {
    type: 'function',
    name: 'update_plan',
    description:
      'Shows the user your plan for this task: short steps with their status. Send the whole list each time; at most one step is in_progress.',
    strict: false,
    parameters: {
      type: 'object',
      properties: {
        explanation: { type: 'string', description: 'Why the plan changed, in a sentence.' },
        plan: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              step: { type: 'string' },
              status: { type: 'string', enum: ['pending', 'in_progress', 'completed'] },
            },
            required: ['step', 'status'],
            additionalProperties: false,
          },
        },
      },
      required: ['plan'],
      additionalProperties: false,
    },
  } as const;

  readonly #onPlan: (steps: readonly PlanStep[], context: ToolContext) => void;

  /** `onPlan` is called for each accepted plan, before the call is answered; it must not throw. */
  constructor(onPlan: (steps: readonly PlanStep[], context: ToolContext) => void) {
    this.#onPlan = onPlan;
  }

  run(call: ToolCallItem, context: ToolContext): Promise<ToolResult> {
    const parsed = parseArguments(call);
    const plan = parsed.kind === 'ok' ? readPlan(parsed.value) : parsed;
    if (plan.kind === 'invalid') return Promise.resolve(toolError(call, this.name, plan.message));
    this.#onPlan(plan.value, context);
    return Promise.resolve({ output: 'Plan updated', endItem: undefined });
  }
}

function readPlan(args: JsonObject): ArgumentReading<readonly PlanStep[]> {
  const entries = args['plan'];
  if (!Array.isArray(entries)) return invalid('missing field `plan`: a list of steps');
  const steps: PlanStep[] = [];
  for (const entry of entries as readonly unknown[]) {
    const step = isJsonObject(entry) ? stringAt(entry, 'step') : undefined;
    const status = isJsonObject(entry) ? stringAt(entry, 'status') : undefined;
    if (step === undefined || status === undefined || !STATUSES.includes(status)) {
      return invalid(`each plan entry needs \`step\` and \`status\` (${STATUSES.join(', ')})`);
    }
    steps.push({ step, status: status as PlanStep['status'] });
  }
  return { kind: 'ok', value: steps };
}
