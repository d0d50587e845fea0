/** Scripts as JSON, for use without TypeScript. The format is documented in docs/simulator.md. */
import { isJsonObject, type JsonObject, type JsonValue } from '@quire/protocol';
import { compacted } from '../compact/default-compaction.ts';
import type { RecordedRequest } from '../recorded-request.ts';
import { SimulatorError } from '../simulator-error.ts';
import type { SimulatorOptions, Transports } from '../simulator-options.ts';
import { blackHole, delay, missingCompletion, refuse, reset, slowChunks, stall, status } from './faults.ts';
import { type FieldReader, readFields } from './field-reader.ts';
import { acceptUpgrade } from './handshake.ts';
import { readOutput, readUsage } from './read-output.ts';
import { type RespondOptions, respond, respondExactly } from './respond.ts';
import {
  type BodyPosition,
  type CloseFrame,
  type HandshakeStep,
  type Headers,
  mapAnswer,
  type NoAnswer,
  type StatusAnswer,
  type Step,
  type StopManner,
  when,
} from './step.ts';

/** The part of `SimulatorOptions` that a script file describes. */
export interface LoadedScript
  extends Pick<
    SimulatorOptions,
    'models' | 'etag' | 'handshakes' | 'prewarms' | 'compactions' | 'usage' | 'transports'
  > {
  readonly steps: readonly Step[];
}

/**
 * Reads a script: JSON text, or what `JSON.parse` made of it.
 * Throws `SimulatorError` 'invalid-script' with the place of the first mistake, such as `steps[2].respond[0].chunks`.
 */
export function loadScript(json: unknown): LoadedScript {
  const root = readFields(typeof json === 'string' ? parseJson(json) : json, 'the script');
  const script: LoadedScript = {
    steps: readList(root, 'steps', readStep).flat(),
    ...(root.has('handshakes') ? { handshakes: readList(root, 'handshakes', readHandshakes).flat() } : {}),
    ...(root.has('prewarms') ? { prewarms: readList(root, 'prewarms', readStep).flat() } : {}),
    ...(root.has('compactions') ? { compactions: readList(root, 'compactions', readStep).flat() } : {}),
    ...(root.has('usage') ? { usage: status(/* code */ 200, { body: root.fields('usage').object }) } : {}),
    ...(root.has('transports') ? { transports: readTransports(root.fields('transports')) } : {}),
    ...(root.has('models')
      ? { models: readList(root, 'models', (entry, place) => readFields(entry, place).object) }
      : {}),
    ...(root.has('etag') ? { etag: root.string('etag') } : {}),
  };
  root.end();
  return script;
}

function readList<Value>(
  root: FieldReader,
  name: string,
  read: (entry: unknown, place: string) => Value,
): readonly Value[] {
  return root.array(name).map((entry, index) => read(entry, `${name}[${index}]`));
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
  const kind = fields.oneOf(STEP_KINDS);
  let step = readAnswer(fields, kind);
  if (fields.optionalTrue('missingCompletion')) step = missingCompletion(step);
  if (fields.has('chunkBytes')) step = slowChunks(fields.positive('chunkBytes'), step);
  if (fields.has('delayMs')) step = delay(fields.count('delayMs'), step);
  if (fields.has('stop')) step = readStop(fields.fields('stop'), step);
  if (fields.has('when')) step = readCondition(fields.fields('when'), step);
  return repeated(fields, step);
}

function readHandshakes(raw: unknown, place: string): readonly HandshakeStep[] {
  const fields = readFields(raw, place);
  let step = readHandshake(fields);
  if (fields.has('delayMs')) step = delay(fields.count('delayMs'), step);
  return repeated(fields, step);
}

/** The last reading of a step's fields. */
function repeated<Kind>(fields: FieldReader, step: Kind): readonly Kind[] {
  const times = fields.has('repeat') ? fields.positive('repeat') : 1;
  fields.end();
  return Array.from({ length: times }, () => step);
}

function readHandshake(fields: FieldReader): HandshakeStep {
  const kind = fields.oneOf(['accept', 'status', ...SILENT_KINDS]);
  if (kind === 'status') return readStatus(fields);
  if (kind !== 'accept') return readSilence(fields, kind);
  if (fields.isTrue('accept')) return acceptUpgrade();
  const accept = fields.fields('accept');
  const step = acceptUpgrade({
    ...(accept.has('headers') ? { headers: readHeaders(accept) } : {}),
    ...(accept.has('answerPings') ? { answerPings: accept.boolean('answerPings') } : {}),
    ...(accept.has('pingEveryMs') ? { pingEveryMs: accept.positive('pingEveryMs') } : {}),
    ...(accept.has('deflate') ? { deflate: accept.choice('deflate', ['decline', 'accept', 'compress']) } : {}),
  });
  accept.end();
  return step;
}

function readTransports(fields: FieldReader): Transports {
  const only = <Kind>(name: string, steps: readonly Kind[]): Kind => {
    const [step] = steps;
    if (step === undefined) throw fields.mistake(name, 'one step');
    return step;
  };
  const read = <Kind>(name: string, reader: (raw: unknown, place: string) => readonly Kind[]): Kind =>
    only(name, reader(fields.fields(name).object, `${fields.place}.${name}`));
  const transports = {
    ...(fields.has('websocket') ? { websocket: read('websocket', readHandshakes) } : {}),
    ...(fields.has('http') ? { http: read('http', readStep) } : {}),
    ...(fields.has('chat') ? { chat: read('chat', readStep) } : {}),
  };
  fields.end();
  return transports;
}

const SILENT_KINDS = ['reset', 'refuse', 'stall', 'blackHole'] as const;
const STEP_KINDS = ['respond', 'respondExactly', 'status', ...SILENT_KINDS, 'compacted'] as const;

function readAnswer(fields: FieldReader, kind: (typeof STEP_KINDS)[number]): Step {
  switch (kind) {
    case 'respond':
    case 'respondExactly': {
      const outputs = fields.array(kind).map((entry, index) => readOutput(entry, `${fields.place}.${kind}[${index}]`));
      const options = readRespondOptions(fields);
      return kind === 'respond' ? respond(...outputs, options) : respondExactly(...outputs, options);
    }
    case 'status':
      return readStatus(fields);
    case 'compacted':
      return compacted(...readListAt(fields, 'compacted'));
    default:
      return readSilence(fields, kind);
  }
}

function readListAt(fields: FieldReader, name: string): readonly JsonObject[] {
  return fields.array(name).map((entry, index) => readFields(entry, `${fields.place}.${name}[${index}]`).object);
}

function readStatus(fields: FieldReader): StatusAnswer {
  const code = fields.positive('status');
  if (code < 200 || code > 599) throw fields.mistake('status', 'a status code from 200 to 599');
  const headers = fields.has('headers') ? { headers: readHeaders(fields) } : {};
  return status(code, { ...headers, ...(fields.has('body') ? { body: fields.textOrObject('body') } : {}) });
}

function readSilence(fields: FieldReader, kind: (typeof SILENT_KINDS)[number]): NoAnswer {
  fields.optionalTrue(kind);
  return { reset: reset(), refuse: refuse(), stall: stall(), blackHole: blackHole() }[kind];
}

function readRespondOptions(fields: FieldReader): RespondOptions {
  return {
    ...(fields.has('headers') ? { headers: readHeaders(fields) } : {}),
    ...(fields.has('usage') ? { usage: readUsage(fields) } : {}),
    ...(fields.has('endTurn') ? { endTurn: fields.boolean('endTurn') } : {}),
    ...(fields.has('responseId') ? { responseId: fields.string('responseId') } : {}),
    ...(fields.has('chatDone') ? { chatDone: fields.isNull('chatDone') ? null : fields.string('chatDone') } : {}),
  };
}

function readHeaders(fields: FieldReader): Headers {
  const headers = fields.fields('headers').object;
  const isHeaders = Object.values(headers).every((value) => typeof value === 'string');
  if (!isHeaders) throw fields.mistake('headers', 'an object of strings');
  return headers as Headers; // each value was just seen to be a string
}

function readStop(fields: FieldReader, step: Step): Step {
  const manner: StopManner = fields.choice('how', ['end', 'destroy', 'reset', 'stall', 'black-hole']);
  const stop = { manner, position: readPosition(fields), ...(fields.has('close') ? { close: readClose(fields) } : {}) };
  fields.end();
  return mapAnswer(step, (answer) => ({ ...answer, delivery: { ...answer.delivery, stop } }));
}

/** Without a number it is behind the whole answer. */
function readPosition(fields: FieldReader): BodyPosition {
  if (!fields.has('afterEvents') && !fields.has('afterBytes')) return { afterEvents: Number.POSITIVE_INFINITY };
  const unit = fields.oneOf(['afterEvents', 'afterBytes']);
  const amount = fields.count(unit);
  return unit === 'afterEvents' ? { afterEvents: amount } : { afterBytes: amount };
}

function readClose(fields: FieldReader): CloseFrame {
  const close = fields.fields('close');
  const frame = { code: close.positive('code'), reason: close.has('reason') ? close.string('reason') : '' };
  close.end();
  return frame;
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
