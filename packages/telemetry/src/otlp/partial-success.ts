import { isJsonObject, objectAt, parseJsonObject } from '@quire/protocol';
import { bytesAt, numberAt, readProtobuf } from './protobuf-reader.ts';

const REJECTED = ['rejectedSpans', 'rejectedLogRecords', 'rejectedDataPoints'];

/** How many records a collector's answer says it rejected; `undefined`: it is no such answer. Nothing at all is one. */
export function rejectedInProtobuf(body: Buffer): number | undefined {
  const answer = readProtobuf(body);
  if (answer === undefined) return undefined;
  const partial = bytesAt(answer, /* field */ 1);
  return partial === undefined ? 0 : numberAt(readProtobuf(partial), /* field */ 1);
}

/** The same for the JSON form. */
export function rejectedInJson(body: Buffer): number | undefined {
  const text = body.toString('utf8');
  if (text.trim() === '') return 0;
  const answer = parseJsonObject(text);
  if (answer === undefined) return undefined;
  const partial = objectAt(answer, 'partialSuccess');
  if (!isJsonObject(partial)) return 0;
  const count = REJECTED.map((name) => Number(partial[name] ?? 0)).find((value) => value > 0);
  return count === undefined || !Number.isFinite(count) ? 0 : count;
}
