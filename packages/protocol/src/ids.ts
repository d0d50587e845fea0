declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** One conversation. A UUID (version 7 when made here). */
export type ThreadId = Brand<string, 'ThreadId'>;
/** One user submission and all the work done for it. A UUID (version 7 when made here). */
export type TurnId = Brand<string, 'TurnId'>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** `undefined` when `raw` is not a UUID string. Case is folded: ids are compared in lower case. */
export function parseThreadId(raw: unknown): ThreadId | undefined {
  if (typeof raw !== 'string') return undefined;
  const text = raw.toLowerCase();
  return UUID.test(text) ? (text as ThreadId) : undefined;
}

/** Turn ids of older files are not always UUIDs, so any non-empty string is taken. */
export function parseTurnId(raw: unknown): TurnId | undefined {
  return typeof raw === 'string' && raw !== '' ? (raw as TurnId) : undefined;
}

/**
 * A UUID version 7 from its parts.
 * @param timestampMs unix time in milliseconds
 * @param random ten random bytes
 */
export function formatUuidV7(timestampMs: number, random: Uint8Array): string {
  if (random.length < 10) throw new RangeError('a version 7 UUID needs ten random bytes');
  const bytes = new Uint8Array(16);
  let rest = Math.floor(timestampMs);
  for (let index = 5; index >= 0; index -= 1) {
    bytes[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  let hex = '';
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
