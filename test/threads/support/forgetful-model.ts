import { isJsonObject, type JsonObject, stringAt } from '@quire/protocol';
import {
  customToolCall,
  functionCall,
  type RecordedRequest,
  type Rehearsal,
  rehearse,
  respond,
  text,
} from '@quire/simulator';

export interface Job {
  /** Relative paths of the files to work through, in order. */
  readonly files: readonly string[];
  /** Where the result of a file belongs. */
  readonly resultOf: (file: string) => string;
}

/** How often each file was read, and what else the model was asked for. */
export interface JobCounts {
  readonly reads: Map<string, number>;
  requests: number;
  summaries: number;
}

/** Bytes of a token, as a rule of thumb. */
const TOKEN_BYTES = 4;
const PATCH_DONE = /^Success\. Updated/m;

/**
 * A model that knows only what its input says: it reads the first file whose result nothing in the input mentions,
 * and writes that result. Its summaries name the goal and forget how far the work has come.
 */
export function forgetfulModel(job: Job): { readonly rules: Rehearsal; readonly counts: JobCounts } {
  const counts: JobCounts = { reads: new Map(), requests: 0, summaries: 0 };
  let calls = 0;
  const rules = rehearse((request) => {
    const usage = { usage: { inputTokens: Math.ceil(request.rawBody.length / TOKEN_BYTES), outputTokens: 50 } };
    const { tools } = request.body;
    if (!Array.isArray(tools) || tools.length === 0) {
      counts.summaries += 1;
      return respond(
        text('The user wants a result for each file. Some files were worked on; the work goes on.'),
        usage,
      );
    }
    counts.requests += 1;
    calls += 1;
    const file = job.files.find((name) => !isDone(request, job.resultOf(name)));
    if (file === undefined) return respond(text('Every file has its result.'), usage);
    const content = justRead(request, file);
    if (content === undefined) {
      counts.reads.set(file, (counts.reads.get(file) ?? 0) + 1);
      return respond(functionCall(`call_${calls}`, 'shell_command', { command: `cat ${file}`, login: false }), usage);
    }
    const patch = ['*** Begin Patch', `*** Add File: ${job.resultOf(file)}`, `+${content}`, '*** End Patch'].join('\n');
    return respond(customToolCall(`call_${calls}`, 'apply_patch', patch), usage);
  });
  return { rules, counts };
}

/** A patch in the input wrote it, or the ledger lists it. */
function isDone({ input }: RecordedRequest, result: string): boolean {
  return input.some((item) => {
    if (item['type'] === 'custom_tool_call')
      return (stringAt(item, 'input') ?? '').includes(`Add File: ${result}\n`) && isAnsweredWell(input, item);
    return (
      item['type'] === 'message' && item['role'] === 'user' && textOf(item['content']).includes(`- ${result} (added`)
    );
  });
}

function isAnsweredWell(input: readonly JsonObject[], call: JsonObject): boolean {
  const answer = input.find(
    (item) => item['type'] === 'custom_tool_call_output' && item['call_id'] === call['call_id'],
  );
  return PATCH_DONE.test(textOf(answer?.['output']));
}

/** The first line of the file, when the input ends with it. */
function justRead({ input }: RecordedRequest, file: string): string | undefined {
  const last = input.at(-1);
  if (last?.['type'] !== 'function_call_output') return undefined;
  const call = input.find((item) => item['type'] === 'function_call' && item['call_id'] === last['call_id']);
  if (!(stringAt(call ?? {}, 'arguments') ?? '').includes(`cat ${file}"`)) return undefined;
  return /Output:\n(.*)/.exec(textOf(last['output']))?.[1];
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return '';
  return value.map((part) => (isJsonObject(part) ? (stringAt(part, 'text') ?? '') : '')).join('\n');
}
