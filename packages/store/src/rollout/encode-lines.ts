import { type JsonValue, type RolloutLine, responseItemToJson } from '@quire/protocol';

/**
 * The one place where rollout lines become bytes: `{"timestamp":…,"type":…,"payload":…}` and a line feed each.
 * @param timeMs unix milliseconds, the same for all
 */
export function encodeLines(lines: readonly RolloutLine[], timeMs: number): Buffer {
  const timestamp = new Date(timeMs).toISOString();
  let text = '';
  for (const line of lines) {
    text += `{"timestamp":"${timestamp}","type":"${line.type}","payload":${JSON.stringify(payloadToJson(line))}}\n`;
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
