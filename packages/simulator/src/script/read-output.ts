/** Outputs of a response in a JSON script. */
import { type FieldReader, readFields } from './field-reader.ts';
import { compaction, customToolCall, functionCall, rawItem, reasoning, text, webSearch } from './items.ts';
import { binaryFrame, comment, event, malformedEvent, type Output, pause, ping, rawBytes } from './output.ts';
import { completed, failed, incomplete, type Usage } from './respond.ts';
import {
  errorEvent,
  type LimitCredits,
  type Limits,
  type LimitWindow,
  modelsEtag,
  rateLimits,
  serverModel,
  turnState,
} from './side-information.ts';

export function readOutput(raw: unknown, place: string): Output {
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
  'compaction',
  'binaryFrame',
  'ping',
  'pauseMs',
  'errorEvent',
  'rateLimits',
  'turnState',
  'serverModel',
  'modelsEtag',
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
  compaction: (fields) => compaction(fields.string('compaction'), optionalId(fields)),
  binaryFrame: (fields) => binaryFrame(fields.string('binaryFrame')),
  ping: (fields) => ping(fields.string('ping')),
  pauseMs: (fields) => pause(fields.count('pauseMs')),
  errorEvent: (fields) => readErrorEvent(fields.fields('errorEvent')),
  rateLimits: (fields) => readRateLimits(fields.fields('rateLimits')),
  turnState: (fields) => turnState(fields.string('turnState')),
  serverModel: (fields) => serverModel(fields.string('serverModel')),
  modelsEtag: (fields) => modelsEtag(fields.string('modelsEtag')),
};

function optionalId(fields: FieldReader): { readonly id?: string } {
  return fields.has('id') ? { id: fields.string('id') } : {};
}

export function readUsage(fields: FieldReader): Partial<Usage> | null {
  if (fields.isNull('usage')) return null;
  const usage = fields.fields('usage');
  const names = [
    'inputTokens',
    'cachedInputTokens',
    'cacheWriteInputTokens',
    'outputTokens',
    'reasoningOutputTokens',
  ] as const;
  const entries = names.flatMap((name) => (usage.has(name) ? [[name, usage.count(name)] as const] : []));
  usage.end();
  return Object.fromEntries(entries);
}

function readErrorEvent(fields: FieldReader): Output {
  const error = fields.isNull('error') ? null : fields.fields('error').object;
  const made = errorEvent(error, {
    ...(fields.has('status') ? { status: fields.count('status') } : {}),
    ...(fields.has('headers') ? { headers: fields.fields('headers').object } : {}),
  });
  fields.end();
  return made;
}

function readRateLimits(fields: FieldReader): Output {
  const limits: Limits = {
    ...(fields.has('primary') ? { primary: readWindow(fields.fields('primary')) } : {}),
    ...(fields.has('secondary') ? { secondary: readWindow(fields.fields('secondary')) } : {}),
    ...(fields.has('credits') ? { credits: readCredits(fields.fields('credits')) } : {}),
    ...(fields.has('limitId') ? { limitId: fields.string('limitId') } : {}),
    ...(fields.has('limitName') ? { limitName: fields.string('limitName') } : {}),
    ...(fields.has('planType') ? { planType: fields.string('planType') } : {}),
  };
  fields.end();
  return rateLimits(limits);
}

function readWindow(fields: FieldReader): LimitWindow {
  const window = {
    usedPercent: fields.number('usedPercent'),
    ...(fields.has('windowMinutes') ? { windowMinutes: fields.count('windowMinutes') } : {}),
    ...(fields.has('resetAt') ? { resetAt: fields.count('resetAt') } : {}),
  };
  fields.end();
  return window;
}

function readCredits(fields: FieldReader): LimitCredits {
  const credits = {
    hasCredits: fields.boolean('hasCredits'),
    unlimited: fields.boolean('unlimited'),
    ...(fields.has('balance') ? { balance: fields.string('balance') } : {}),
  };
  fields.end();
  return credits;
}
