import type { ModelPort, ModelTurn } from '../ports/model-port.ts';
import type { RequestBudget } from '../ports/request-budget.ts';
import { TaskError } from './task-error.ts';

/**
 * The same line, asked before each request: samplings and their repetitions, compactions of every form. A refused
 * request throws `TaskError` 'budget-exceeded' and sends nothing.
 */
export function budgetedModel(model: ModelPort, budget: RequestBudget): ModelPort {
  const ask = (): void => {
    const refusal = budget.refusal();
    if (refusal !== undefined) throw new TaskError('budget-exceeded', refusal);
  };
  const warmUp = model.warmUp?.bind(model);
  const compact = model.compact?.bind(model);
  return {
    beginTurn: (identity) => budgetedTurn(model.beginTurn(identity), ask),
    close: () => model.close(),
    ...(warmUp === undefined ? {} : { warmUp }),
    ...(compact === undefined
      ? {}
      : {
          compact: async (request, options) => {
            ask();
            return compact(request, options);
          },
        }),
  };
}

function budgetedTurn(turn: ModelTurn, ask: () => void): ModelTurn {
  return {
    stream: (request, options) => {
      ask();
      return turn.stream(request, options);
    },
  };
}
