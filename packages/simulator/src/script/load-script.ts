/** Scripts as JSON, for use without TypeScript. The format is documented in docs/simulator.md. */
import { isJsonObject, type JsonObject, type JsonValue } from '@quire/protocol';
import type { RecordedRequest } from '../recorded-request.ts';
import { SimulatorError } from '../simulator-error.ts';
import { delay, missingCompletion, refuse, reset, slowChunks, stall, status } from './faults.ts';
import { type FieldReader, readFields } from './field-reader.ts';
import { customToolCall, functionCall, rawItem, reasoning, text, webSearch } from './items.ts';
import { comment, event, malformedEvent, type Output, rawBytes } from './output.ts';
import { completed, failed, incomplete, type RespondOptions, respond, respondExactly, type Usage } from './respond.ts';
import { type BodyPosition, type Headers, mapAnswer, type Step, type StopManner, when } from './step.ts';

/** The part of `SimulatorOptions` that a script file describes. */
export interface LoadedScript {
  readonly steps: readonly Step[];
  readonly models?: readonly JsonObject[];
  readonly etag?: string;
}

/**
 * Reads a script: JSON text, or what `JSON.parse` made of it.
 * Throws `SimulatorError` 'invalid-script' with the place of the first mistake, such as `steps[2].respond[0].chunks`.
 */
export function loadScript(json: unknown): LoadedScript {
  const root = readFields(typeof json === 'string' ? parseJson(json) : json, 'the script');
  const steps = root.array('steps').flatMap((entry, index) => readStep(entry, `steps[${index}]`));
  const models = root.has('models')
    ? { models: root.array('models').map((entry, index) => readFields(entry, `models[${index}]`).object) }
    : {};
  const etag = root.has('etag') ? { etag: root.string('etag') } : {};
  root.end();
  return { steps, ...models, ...etag };
}

function parseJson(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch (cause) {
    throw new SimulatorError('invalid-script', `the script is not JSON: ${(cause as Error).message}`, { cause });
  }
}

function readStep(raw: unknown, place: string): readonly Step[] {
  const fields = readFields(raw, place);
  const kind = fields.oneOf(['respond', 'respondExactly', 'status', 'reset', 'refuse', 'stall']);
  let step = readAnswer(fields, kind);
  if (fields.optionalTrue('missingCompletion')) step = missingCompletion(step);
  if (fields.has('chunkBytes')) step = slowChunks(fields.positive('chunkBytes'), step);
  if (fields.has('delayMs')) step = delay(fields.count('delayMs'), step);
  if (fields.has('stop')) step = readStop(fields.fields('stop'), step);
  if (fields.has('when')) step = readCondition(fields.fields('when'), step);
  const times = fields.has('repeat') ? fields.positive('repeat') : 1;
  fields.end();
  return Array.from({ length: times }, () => step);
}

function readAnswer(
  fields: FieldReader,
  kind: 'respond' | 'respondExactly' | 'status' | 'reset' | 'refuse' | 'stall',
): Step {
  switch (kind) {
    case 'respond':
    case 'respondExactly': {
      const outputs = fields.array(kind).map((entry, index) => readOutput(entry, `${fields.place}.${kind}[${index}]`));
      const options = readRespondOptions(fields);
      return kind === 'respond' ? respond(...outputs, options) : respondExactly(...outputs, options);
    }
    case 'status': {
      const code = fields.positive('status');
      if (code < 200 || code > 599) throw fields.mistake('status', 'a status code from 200 to 599');
      const headers = fields.has('headers') ? { headers: readHeaders(fields) } : {};
      return status(code, { ...headers, ...(fields.has('body') ? { body: readStatusBody(fields) } : {}) });
    }
    default:
      fields.optionalTrue(kind);
      return { reset, refuse, stall }[kind]();
  }
}

function readRespondOptions(fields: FieldReader): RespondOptions {
  return {
    ...(fields.has('headers') ? { headers: readHeaders(fields) } : {}),
    ...(fields.has('usage') ? { usage: readUsage(fields) } : {}),
    ...(fields.has('endTurn') ? { endTurn: fields.boolean('endTurn') } : {}),
    ...(fields.has('responseId') ? { responseId: fields.string('responseId') } : {}),
  };
}

function readOutput(raw: unknown, place: string): Output {
  const fields = readFields(raw, place);
  const kind = fields.oneOf(OUTPUT_KINDS);
  const made = OUTPUT_READERS[kind](fields);
  fields.end();
  return made;
}

const OUTPUT_KINDS = [
  'text',
  'reasoning',
  'functionCall',
  'customToolCall',
  'webSearch',
  'item',
  'event',
  'rawBytes',
  'comment',
  'malformedEvent',
  'completed',
  'failed',
  'incomplete',
] as const;

const OUTPUT_READERS: Readonly<Record<(typeof OUTPUT_KINDS)[number], (fields: FieldReader) => Output>> = {
  text: (fields) =>
    text(fields.string('text'), {
      ...optionalId(fields),
      ...(fields.has('chunks') ? { chunks: fields.positive('chunks') } : {}),
      ...(fields.has('phase') ? { phase: fields.string('phase') } : {}),
    }),
  reasoning: (fields) =>
    reasoning(fields.string('reasoning'), {
      ...optionalId(fields),
      ...(fields.has('encrypted') ? { encrypted: fields.string('encrypted') } : {}),
      ...(fields.has('content') ? { content: fields.string('content') } : {}),
    }),
  functionCall: (fields) => {
    const call = fields.fields('functionCall');
    const args = call.has('arguments') ? call.textOrObject('arguments') : {};
    const made = functionCall(call.string('callId'), call.string('name'), args, optionalId(call));
    call.end();
    return made;
  },
  customToolCall: (fields) => {
    const call = fields.fields('customToolCall');
    const made = customToolCall(call.string('callId'), call.string('name'), call.string('input'), optionalId(call));
    call.end();
    return made;
  },
  webSearch: (fields) => webSearch(fields.textOrObject('webSearch'), optionalId(fields)),
  item: (fields) => rawItem(fields.fields('item').object),
  event: (fields) => event(fields.fields('event').object),
  rawBytes: (fields) => rawBytes(fields.string('rawBytes')),
  comment: (fields) => comment(fields.string('comment')),
  malformedEvent: (fields) => malformedEvent(fields.string('malformedEvent')),
  completed: (fields) => {
    const ending = fields.fields('completed');
    const made = completed({
      ...(ending.has('usage') ? { usage: readUsage(ending) } : {}),
      ...(ending.has('endTurn') ? { endTurn: ending.boolean('endTurn') } : {}),
    });
    ending.end();
    return made;
  },
  failed: (fields) => failed(fields.fields('failed').object),
  incomplete: (fields) => incomplete(fields.string('incomplete')),
};

function optionalId(fields: FieldReader): { readonly id?: string } {
  return fields.has('id') ? { id: fields.string('id') } : {};
}

function readHeaders(fields: FieldReader): Headers {
  const headers = fields.fields('headers').object;
  const isHeaders = Object.values(headers).every((value) => typeof value === 'string');
  if (!isHeaders) throw fields.mistake('headers', 'an object of strings');
  return headers as Headers; // each value was just seen to be a string
}

function readUsage(fields: FieldReader): Partial<Usage> | null {
  if (fields.isNull('usage')) return null;
  const usage = fields.fields('usage');
  const names = ['inputTokens', 'cachedInputTokens', 'outputTokens', 'reasoningOutputTokens'] as const;
  const entries = names.flatMap((name) => (usage.has(name) ? [[name, usage.count(name)] as const] : []));
  usage.end();
  return Object.fromEntries(entries);
}

function readStatusBody(fields: FieldReader): JsonObject | string {
  return fields.textOrObject('body');
}

function readStop(fields: FieldReader, step: Step): Step {
  const manner: StopManner = fields.choice('how', ['end', 'destroy', 'reset', 'stall']);
  const unit = fields.oneOf(['afterEvents', 'afterBytes']);
  const amount = fields.count(unit);
  const position: BodyPosition = unit === 'afterEvents' ? { afterEvents: amount } : { afterBytes: amount };
  fields.end();
  return mapAnswer(step, (answer) => ({ ...answer, delivery: { ...answer.delivery, stop: { manner, position } } }));
}

function readCondition(fields: FieldReader, step: Step): Step {
  const wanted = fields.string('inputContains');
  fields.end();
  return when((request: RecordedRequest) => containsText(request.body['input'], wanted), step);
}

function containsText(value: JsonValue | undefined, wanted: string): boolean {
  if (typeof value === 'string') return value.includes(wanted);
  if (Array.isArray(value)) return value.some((entry) => containsText(entry, wanted));
  return isJsonObject(value) && Object.values(value).some((entry) => containsText(entry, wanted));
}
