import {
  compileHookMatcher,
  type HookDefinition,
  type HookedCall,
  type HookVerdict,
  type ToolHooks,
} from '@quire/core';
import type { CommandHooks } from './command-hooks.ts';
import type { MatchingHook, ToolHooksOptions } from './hook-options.ts';

export interface ClosableToolHooks extends ToolHooks {
  /** Kills whatever hooks left behind. After it every call is denied. Calling it twice is fine. */
  close(): Promise<void>;
}

/** The configured hooks of a thread; `undefined` when there are none. Nothing is loaded before one is to run. */
export function createToolHooks(options: ToolHooksOptions): ClosableToolHooks | undefined {
  return options.hooks.length === 0 ? undefined : new LazyToolHooks(options);
}

class LazyToolHooks implements ClosableToolHooks {
  readonly #options: ToolHooksOptions;
  readonly #hooks: readonly MatchingHook[];
  #commands: Promise<CommandHooks> | undefined;
  #isClosed = false;

  constructor(options: ToolHooksOptions) {
    this.#options = options;
    this.#hooks = options.hooks.map((definition) => ({ definition, means: compileHookMatcher(definition.matcher) }));
  }

  async before(call: HookedCall, options: { readonly signal: AbortSignal }): Promise<HookVerdict> {
    const hooks = this.#meant('PreToolUse', call);
    if (hooks.length === 0) return { kind: 'go-on' };
    if (this.#isClosed) return { kind: 'deny', reason: 'the thread is over' };
    return (await this.#load()).before(hooks, call, options);
  }

  async after(
    call: HookedCall & { readonly output: string; readonly succeeded: boolean },
    options: { readonly signal: AbortSignal },
  ): Promise<{ readonly feedback: string | undefined }> {
    const hooks = this.#meant('PostToolUse', call);
    if (this.#isClosed || (hooks.length === 0 && this.#commands === undefined)) return { feedback: undefined };
    return (await this.#load()).after(hooks, call, options);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await (await this.#commands)?.close();
  }

  #meant(event: HookDefinition['event'], call: HookedCall): readonly HookDefinition[] {
    return this.#hooks
      .filter(({ definition, means }) => definition.event === event && means(call))
      .map(({ definition }) => definition);
  }

  #load(): Promise<CommandHooks> {
    this.#commands ??= import('./command-hooks.ts').then(({ CommandHooks: Hooks }) => new Hooks(this.#options));
    return this.#commands;
  }
}
