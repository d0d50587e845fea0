import { type JsonValue, type RolloutLine, responseItemToJson } from '@quire/protocol';
import type { Redactor } from './redact.ts';

/**
 * The one place where rollout lines become bytes: `{"timestamp":…,"type":…,"payload":…}` and a line feed each.
 * What `redactor` knows for a secret does not get through.
 * @param timeMs unix milliseconds, the same for all
 */
export function encodeLines(
  lines: readonly RolloutLine[],
  options: {
    readonly timeMs: number;
    readonly redactor: Redactor;
    /** Number of the first of them, in a file that counts its lines. */
    readonly firstOrdinal?: number | undefined;
  },
): Buffer {
  const timestamp = new Date(options.timeMs).toISOString();
  let text = '';
  let ordinal = options.firstOrdinal;
  for (const line of lines) {
    const payload = payloadToJson(line);
    const json = options.redactor.redactJson(payload, JSON.stringify(payload), line.type);
    const number = ordinal === undefined ? '' : `"ordinal":${ordinal},`;
    if (ordinal !== undefined) ordinal += 1;
    text += `{"timestamp":"${timestamp}",${number}"type":"${line.type}","payload":${json}}\n`;
  }
  return Buffer.from(text, 'utf8');
}

function payloadToJson(line: RolloutLine): unknown {
  switch (line.type) {
    case 'response_item':
      return responseItemToJson(line.payload);
    case 'compacted': {
      const history: readonly JsonValue[] | undefined = line.payload.replacement_history?.map(responseItemToJson);
      return history === undefined ? line.payload : { ...line.payload, replacement_history: history };
    }
    default:
      return line.payload;
  }
}
