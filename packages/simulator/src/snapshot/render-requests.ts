import { isJsonObject, type JsonObject, type JsonValue, stringAt } from '@quire/protocol';
import { differenceOf } from '../invariants/json-difference.ts';
import { nameOf } from '../invariants/thread-history.ts';
import type { RecordedRequest } from '../recorded-request.ts';
import { renderItem, type Telling } from './render-item.ts';
import { type RenderOptions, tellingOf } from './render-options.ts';

export interface RenderRequestsOptions extends RenderOptions {
  /** What to call the requests, in their order; where absent, `request 3`. */
  readonly labels?: readonly (string | undefined)[];
  /** `fold` tells the items that a request shares with the start of the one before in one line; `show` when absent. */
  readonly sharedItems?: 'show' | 'fold';
}

/** What of a request is told; a recorded one has it. */
export type RenderedRequest = Pick<RecordedRequest, 'index' | 'transport' | 'path' | 'body' | 'input'>;

/** What the model would see, as text for a snapshot. It ends without a line break. */
export function renderRequests(requests: readonly RenderedRequest[], options: RenderRequestsOptions = {}): string {
  const telling = tellingOf(options);
  const folds = options.sharedItems === 'fold';
  const blocks = requests.map((request, index) => {
    const previous = requests[index - 1];
    const shared = folds && previous !== undefined ? countShared(previous.input, request.input) : 0;
    const width = String(Math.max(0, request.input.length - 1)).length;
    return [
      `## ${options.labels?.[index] ?? labelOf(request)}`,
      `${request.transport}, model ${stringAt(request.body, 'model') ?? '(none)'}`,
      ...renderInstructions(request.body['instructions'], telling),
      renderTools(request.body['tools']),
      ...(shared === 0 ? [] : [`${'.'.repeat(width)} ${shared} item(s) as before`]),
      ...request.input.slice(shared).flatMap((item, offset) => {
        const [first = '', ...rest] = renderItem(item, telling);
        return [`${String(shared + offset).padStart(width)} ${first}`, ...rest.map((line) => `  ${line}`)];
      }),
    ].join('\n');
  });
  return blocks.join('\n\n');
}

function labelOf(request: RenderedRequest): string {
  const [pathname = ''] = request.path.split('?', 1);
  return pathname.endsWith('/responses/compact') ? `compaction ${request.index}` : nameOf(request);
}

function renderInstructions(instructions: JsonValue | undefined, { redaction }: Telling): readonly string[] {
  if (typeof instructions !== 'string') return ['instructions: none'];
  if (redaction !== undefined) return [`instructions: ${redaction.passage(instructions)}`];
  return ['instructions:', ...instructions.split('\n').map((line) => `  ${line}`)];
}

function renderTools(tools: JsonValue | undefined): string {
  const names = Array.isArray(tools) ? tools.flatMap((tool) => (isJsonObject(tool) ? [nameOfTool(tool)] : [])) : [];
  return `tools: ${names.length === 0 ? 'none' : names.join(', ')}`;
}

function nameOfTool(tool: JsonObject): string {
  const called = tool['function']; // chat nests the name
  const name = isJsonObject(called) ? stringAt(called, 'name') : stringAt(tool, 'name');
  return name ?? stringAt(tool, 'type') ?? '(no name)';
}

function countShared(previous: readonly JsonObject[], current: readonly JsonObject[]): number {
  const first = current.findIndex((item, index) => differenceOf(previous[index], item) !== undefined);
  return first < 0 ? current.length : first;
}
