import type { RecordedRequest } from '../recorded-request.ts';
import { describeStep, type Step } from './step.ts';

/** Rules over the request. A rehearsal answers any number of requests and is never unused. */
export interface Rehearsal {
  readonly kind: 'rehearsal';
  readonly answer: (request: RecordedRequest) => Step | Promise<Step>;
}

export function rehearse(answer: (request: RecordedRequest) => Step | Promise<Step>): Rehearsal {
  return { kind: 'rehearsal', answer };
}

/** The steps of one simulator and which of them were used. */
export class Script {
  readonly #steps: readonly Step[];
  readonly #used: Set<number> = new Set();
  readonly #rules: Rehearsal | undefined;
  readonly #stepName: string;

  /** @param options.stepName what messages call a step */
  constructor(steps: readonly Step[], options: { readonly rules: Rehearsal | undefined; readonly stepName: string }) {
    this.#steps = steps;
    this.#rules = options.rules;
    this.#stepName = options.stepName;
  }

  /**
   * The first unused step that takes the request; a step without a condition takes any. When none does, `fallback`,
   * else the rehearsal's rules, and without rules `undefined`.
   */
  take(request: RecordedRequest, options: { readonly fallback?: Step | undefined } = {}): Step | undefined {
    for (const [index, step] of this.#steps.entries()) {
      if (this.#used.has(index)) continue;
      if (typeof step !== 'function' && step.kind === 'when' && !step.predicate(request)) continue;
      this.#used.add(index);
      return step;
    }
    return options.fallback ?? this.#rules?.answer;
  }

  /** One sentence per step that no request took. */
  unusedSteps(): readonly string[] {
    return this.#steps.flatMap((step, index) =>
      this.#used.has(index) ? [] : [`${this.#stepName} ${index} (${describeStep(step)}) was not used`],
    );
  }
}
