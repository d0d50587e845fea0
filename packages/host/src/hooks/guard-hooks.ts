import type { ToolHooks } from '@quire/core';
import { waitFor } from '../process/abort.ts';

export interface GuardHooksOptions {
  /** For each call. Default a minute. */
  readonly timeoutMs?: number;
  /**
   * What follows when a function throws or takes too long. Default: before a call `closed`, it does not run; after it
   * `open`, nothing is said.
   */
  readonly fail?: 'open' | 'closed';
}

const DEFAULT_TIMEOUT_MS = 60_000;

/** Functions of a program that embeds the runtime, made to keep the promises of the port: bounded, and never throwing. */
export function guardHooks(hooks: Partial<ToolHooks>, options: GuardHooksOptions = {}): ToolHooks {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, fail } = options;
  return {
    before: async (call, { signal }) => {
      const asked = await ask(() => hooks.before?.(call, { signal }), { timeoutMs, signal });
      if ('problem' in asked && fail !== 'open') return { kind: 'deny', reason: asked.problem };
      return 'answer' in asked ? (asked.answer ?? { kind: 'go-on' }) : { kind: 'go-on' };
    },
    after: async (call, { signal }) => {
      const asked = await ask(() => hooks.after?.(call, { signal }), { timeoutMs, signal });
      if ('answer' in asked) return asked.answer ?? { feedback: undefined };
      return { feedback: fail === 'closed' ? `${asked.problem}, so what it checks counts as failed` : undefined };
    },
  };
}

type Asked<Answer> = { readonly answer: Answer } | { readonly problem: string };

async function ask<Answer>(
  question: () => Promise<Answer> | undefined,
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Asked<Answer | undefined>> {
  limits.signal.throwIfAborted();
  try {
    const result = await waitFor(Promise.resolve().then(question), limits);
    if (result.kind === 'done') return { answer: result.value };
    return { problem: `a hook gave no answer in ${limits.timeoutMs / 1000} s` };
  } catch (error) {
    limits.signal.throwIfAborted();
    return { problem: `a hook failed: ${error instanceof Error ? error.message : String(error)}` };
  }
}
