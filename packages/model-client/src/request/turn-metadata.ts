import type { JsonObject } from '@quire/protocol';

/**
 * Longest header value that is sent. Common gateways refuse a request whose single header line is
 * longer (nginx: `large_client_header_buffers`, 8 KiB), and the metadata is not worth the turn.
 */
const MAX_HEADER_BYTES = 8 * 1024;

/** The value of `x-codex-turn-metadata`: compact JSON in printable ASCII; `undefined` when it would be too long. */
export function turnMetadataHeader(metadata: JsonObject): string | undefined {
  const json = JSON.stringify(metadata).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return json.length > MAX_HEADER_BYTES ? undefined : json;
}
