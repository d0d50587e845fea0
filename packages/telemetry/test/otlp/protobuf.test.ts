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
