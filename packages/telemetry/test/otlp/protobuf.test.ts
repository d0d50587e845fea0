import { expect, test } from 'vitest';
import { rejectedInJson, rejectedInProtobuf } from '../../src/otlp/partial-success.ts';
import { encodeProtobuf, REQUESTS } from '../../src/otlp/protobuf.ts';

test('a message has exactly these bytes [TEL-65]', () => {
  const message = {
    resourceLogs: [
      {
        resource: { attributes: [{ key: 'a', value: { intValue: '-1' } }] },
        scopeLogs: [{ scope: { name: 's' }, logRecords: [{ timeUnixNano: '1', flags: 1, traceId: '0aff' }] }],
      },
    ],
  };
  // Written down from the encoding rules by hand: tag, length, content.
  const intValue = '18 ff ff ff ff ff ff ff ff ff 01';
  const attribute = `0a 10 0a 01 61 12 0b ${intValue}`;
  const resource = `0a 12 ${attribute}`;
  const record = '12 12 09 01 00 00 00 00 00 00 00 45 01 00 00 00 4a 02 0a ff';
  const scopeLogs = `12 19 0a 03 0a 01 73 ${record}`;
  const bytes = `0a 2f ${resource} ${scopeLogs}`;
  expect(encodeProtobuf(message, REQUESTS.logs).toString('hex')).toBe(bytes.replaceAll(' ', ''));
});

test.each([
  ['of other letters', 'ä€😀', 'c3a4e282acf09f9880', '09'],
  ['half of a character', 'a\ud800', '61efbfbd', '04'],
  ['of 63 letters', 'x'.repeat(63), '78'.repeat(63), '3f'],
  ['of 64 letters', 'x'.repeat(64), '78'.repeat(64), '40'],
  ['of 200 letters, which shifts what is around it', 'y'.repeat(200), '79'.repeat(200), 'c801'],
  ['of 40,000 letters, for which room is made', 'z'.repeat(40_000), '7a'.repeat(40_000), 'c0b802'],
])('a text %s is its length and its bytes, and so is every message around it [TEL-65]', (_, text, bytes, length) => {
  const scope = `0a${length}${bytes}`;
  const scopes = `0a${varint(scope.length / 2)}${scope}`;
  const resource = `12${varint(scopes.length / 2)}${scopes}`;
  const message = { resourceLogs: [{ scopeLogs: [{ scope: { name: text } }] }] };
  expect(encodeProtobuf(message, REQUESTS.logs).toString('hex')).toBe(`0a${varint(resource.length / 2)}${resource}`);
});

test.each([
  ['0', '0000000000000000'],
  ['1', '0100000000000000'],
  ['4294967295', 'ffffffff00000000'],
  ['4294967296', '0000000001000000'],
  ['999999999999999', 'ff7fc6a47e8d0300'],
  ['1763726400000000000', '0080faf0d0037a18'],
  ['18446744073709551615', 'ffffffffffffffff'],
])('the time %s has its eight bytes [TEL-65]', (time, bytes) => {
  const message = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ timeUnixNano: time }] }] }] };
  expect(encodeProtobuf(message, REQUESTS.logs).toString('hex')).toBe(`0a0d120b120909${bytes}`);
});

function varint(value: number): string {
  const bytes = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 0x80;
    bytes.push(rest & 0x7f);
  }
  return Buffer.from(bytes).toString('hex');
}

test.each([
  ['', 0],
  ['0a00', 0],
  ['0a020803', 3],
  ['0a0708031203616263', 3],
  ['3c', undefined],
  ['0a05', undefined],
])('the binary answer %s rejects %s records [TEL-66]', (hex, rejected) => {
  expect(rejectedInProtobuf(Buffer.from(hex, 'hex'))).toBe(rejected);
});

test.each([
  ['', 0],
  ['{}', 0],
  ['{"partialSuccess":{}}', 0],
  ['{"partialSuccess":{"rejectedSpans":"3","errorMessage":"no"}}', 3],
  ['{"partialSuccess":{"rejectedDataPoints":4}}', 4],
  ['{"partialSuccess":{"rejectedLogRecords":"many"}}', 0],
  ['[]', undefined],
  ['<html>', undefined],
])('the JSON answer %s rejects %s records [TEL-66]', (json, rejected) => {
  expect(rejectedInJson(Buffer.from(json))).toBe(rejected);
});
