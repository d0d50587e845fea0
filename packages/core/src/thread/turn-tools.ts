import type { ToolSpec } from '@quire/protocol';
import type { Tool } from '../tools/tool.ts';
import { ToolRouter } from '../tools/tool-router.ts';
import { createToolSet, type ToolSet, type TurnHandles } from '../tools/tool-set.ts';
import type { ThreadSettings } from './settings.ts';
import type { ThreadPorts } from './thread-ports.ts';

/**
 * The tools of one turn. Those of servers and programs may come and go in its course: what a request offers is what is
 * there when it is built, and stays the very same array as long as nothing changed.
 */
export class TurnTools {
  readonly router: ToolRouter;
  readonly #settings: ThreadSettings;
  readonly #ports: ThreadPorts;
  readonly #handles: TurnHandles;
  #seen: readonly (readonly Tool[])[];
  #set: ToolSet;

  constructor(settings: ThreadSettings, ports: ThreadPorts, handles: TurnHandles) {
    this.#settings = settings;
    this.#ports = ports;
    this.#handles = handles;
    this.#seen = this.#sources();
    this.#set = createToolSet(settings, ports, handles);
    this.router = new ToolRouter(this.#set.tools, ports, this.#set.direct);
  }

  get specs(): readonly ToolSpec[] {
    const sources = this.#sources();
    if (sources.some((tools, index) => tools !== this.#seen[index])) {
      this.#seen = sources;
      this.#set = createToolSet(this.#settings, this.#ports, this.#handles);
      this.router.useTools(this.#set.tools, this.#set.direct);
    }
    return this.#set.specs;
  }

  #sources(): readonly (readonly Tool[])[] {
    return (this.#ports.toolSources ?? []).map((source) => source.tools);
  }
}

/** Of a request outside of a turn: nothing is run. */
export const NO_HANDLES: Pick<TurnHandles, 'onPlan'> = { onPlan: () => undefined };
