import type { JsonObject } from '@quire/protocol';
import { stringAt } from '@quire/protocol';
import {
  isCompactionTrigger,
  type RecordedRequest,
  refuseItems,
  rehearse,
  Simulator,
  type Step,
} from '@quire/simulator';
import { MODELS } from './sequence-models.ts';

/** How a compaction is asked for: by the endpoint, by a trigger at the end of a stream, or by a prompt without tools. */
export type CompactionWay = 'endpoint' | 'stream' | 'local';

/** What one thread is answered. */
export interface ThreadScript {
  answer(request: RecordedRequest): Step;
  compact(request: RecordedRequest, way: CompactionWay): Step;
  /** The service does not take `item`, as long as requests hold it. */
  refused(request: RecordedRequest, refusal: { readonly item: JsonObject; readonly form: 'image' | 'index' }): void;
}

/** In an item that the service refuses by its place. */
export const POISON = 'POISON';
/** In an image that the service refuses as an image. */
export const POISON_IMAGE = `data:image/png;base64,${Buffer.from('no picture at all').toString('base64')}`;
export const GOOD_IMAGE =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** One simulator for many threads, each with a script of its own. */
export class PlannedProvider implements AsyncDisposable {
  readonly #scripts = new Map<string, ThreadScript>();
  #simulator: Simulator | undefined;

  static async start(): Promise<PlannedProvider> {
    const provider = new PlannedProvider();
    provider.#simulator = await Simulator.start({
      rules: rehearse((request) => {
        const script = provider.#scriptOf(request);
        return isLocalCompaction(request) ? script.compact(request, 'local') : script.answer(request);
      }),
      compaction: {
        endpoint: (request) => provider.#scriptOf(request).compact(request, 'endpoint'),
        stream: (request) => provider.#scriptOf(request).compact(request, 'stream'),
      },
      refusals: [provider.#refusal('image', POISON_IMAGE), provider.#refusal('index', POISON)],
      expectLocalCompactions: true,
      // A fork may begin with a local compaction, whose lack of tools nothing is to be compared with.
      allowRewrite: (previous, current) =>
        isLocalCompaction(previous) && previous.body['instructions'] === current.body['instructions'],
      textOnlyModels: [MODELS.text.slug],
    });
    return provider;
  }

  get simulator(): Simulator {
    if (this.#simulator === undefined) throw new Error('the provider was not started');
    return this.#simulator;
  }

  /** From now on the thread is answered by `script`. */
  serve(threadId: string, script: ThreadScript): void {
    this.#scripts.set(threadId, script);
  }

  forget(threadId: string): void {
    this.#scripts.delete(threadId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#simulator?.stop();
  }

  #refusal(form: 'image' | 'index', sign: string): ReturnType<typeof refuseItems> {
    const reasonFor = (item: JsonObject): string | undefined => {
      if (!JSON.stringify(item).includes(sign)) return undefined;
      const { requests, compactions } = this.simulator;
      const request = [compactions.at(-1), requests.at(-1)].find((one) => one?.input.includes(item));
      if (request !== undefined && request === requests.at(-1) && !isCompaction(request)) {
        this.#scriptOf(request).refused(request, { item, form });
      }
      return 'It is not taken.';
    };
    return refuseItems(reasonFor, { form });
  }

  #scriptOf({ body, headers }: RecordedRequest): ThreadScript {
    const header = headers['session-id'] ?? headers['session_id'];
    const key = stringAt(body, 'prompt_cache_key') ?? String(header);
    const script = this.#scripts.get(key);
    if (script === undefined) throw new Error(`no script for the thread ${key}`);
    return script;
  }
}

function isCompaction(request: RecordedRequest): boolean {
  return isCompactionTrigger(request) || isLocalCompaction(request);
}

function isLocalCompaction({ body }: RecordedRequest): boolean {
  const { tools } = body;
  return !Array.isArray(tools) || tools.length === 0;
}
