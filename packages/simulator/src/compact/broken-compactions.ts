import { cutAfterBytes, cutAfterEvents, stall, status } from '../script/faults.ts';
import { compaction, rawItem, text } from '../script/items.ts';
import { event } from '../script/output.ts';
import { respond } from '../script/respond.ts';
import type { Step } from '../script/step.ts';
import {
  type CompactionAnswers,
  compactAsServer,
  compactAsServerStream,
  compacted,
  keptItems,
  summaryItem,
} from './default-compaction.ts';

const PAGE = '<!doctype html><html><head><title>Blocked</title></head><body>Ask your administrator.</body></html>';
const HTML = { 'content-type': 'text/html; charset=utf-8' };

/** Answers to a compaction that none can be made of: each for the endpoint and for the stream. */
export const brokenCompactions = {
  /** A good answer without anything in it. */
  none: { endpoint: compacted(), stream: respond() },
  /** Two compaction items. */
  two: {
    endpoint: (request) => compacted(...keptItems(request), summaryItem(request), summaryItem(request)),
    stream: respond(compaction('one summary'), compaction('another summary')),
  },
  /** The page of a gateway with status 403. */
  html403: everywhere(status(/* code */ 403, { headers: HTML, body: PAGE })),
  /** The page of a gateway in the place of the answer; over WebSocket in an `error` event. */
  html200: everywhere(status(/* code */ 200, { headers: HTML, body: PAGE })),
  /** Nothing at all, with the connection open. */
  hang: everywhere(stall()),
  /** The connection breaks inside the answer. */
  cut: {
    endpoint: cutAfterBytes(/* byteCount */ 20, compactAsServer),
    stream: cutAfterEvents(/* eventCount */ 1, compactAsServerStream),
  },
  /** The service has no such endpoint. */
  notFound: everywhere(apiError(/* code */ 404, 'not_found', 'There is no such path.')),
  serverError: everywhere(apiError(/* code */ 500, 'server_error', 'The compaction failed.')),
  /** A whole answer that is longer than the history it stands for. */
  notShorter: {
    endpoint: (request) =>
      compacted(...request.input, { type: 'compaction', encrypted_content: JSON.stringify(request.input) }),
    stream: (request) => respond(compaction(JSON.stringify(request.input))),
  },
  /** Things that are no items, and items that are no compaction. */
  garbage: {
    endpoint: status(/* code */ 200, { body: { output: ['text', 42, null, {}, { type: 7 }, { type: 'nonsense' }] } }),
    stream: respond(
      event({ type: 'response.output_item.done', output_index: 0, item: 'text' }),
      event({ type: 'response.output_item.done', output_index: 1, item: { type: 7 } }),
      rawItem({ type: 'nonsense' }),
      text('I would rather not.'),
    ),
  },
} as const satisfies Readonly<Record<string, CompactionAnswers>>;

function everywhere(step: Step): CompactionAnswers {
  return { endpoint: step, stream: step };
}

function apiError(code: number, type: string, message: string): Step {
  return status(code, { body: { error: { message, type, param: null, code: null } } });
}
