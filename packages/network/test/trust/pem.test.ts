import { describe, expect, test } from 'vitest';
import { firstObjectLength } from '../../src/trust/der.ts';
import { PemError, parsePem } from '../../src/trust/pem.ts';

const section = (label: string, body: string): string => `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;
const base64 = (bytes: readonly number[]): string => Buffer.from(bytes).toString('base64');
const parse = (text: string) => {
  const { certificates, ...counts } = parsePem(Buffer.from(text));
  return { certificates: certificates.map((der) => [...der]), ...counts };
};

describe('bundles', () => {
  test('every certificate counts; keys, revocation lists and text between are left out [TRUST-03]', () => {
    const key = 'Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA';
    const text = [
      'subject: first',
      section('CERTIFICATE', base64([0x30, 1, 7])),
      section('ENCRYPTED PRIVATE KEY', key),
      section('X509 CRL', base64([0x30, 0])),
      section('CERTIFICATE', base64([0x30, 1, 8])),
    ].join('\n');
    const expected = {
      certificates: [
        [0x30, 1, 7],
        [0x30, 1, 8],
      ],
      trustedCount: 0,
      crlCount: 1,
    };
    for (const breaks of ['\n', '\r\n', '\r']) expect(parse(text.replaceAll('\n', breaks))).toEqual(expected);
    expect(parse(`\uFEFF${section('CERTIFICATE', base64([0x30, 1, 7]))}`).certificates).toEqual([[0x30, 1, 7]]);
  });

  test('bytes that are no UTF-8 outside the sections do not matter [TRUST-03]', () => {
    const bytes = Buffer.concat([Buffer.from([0xff, 0xfe, 0x0a]), Buffer.from(section('CERTIFICATE', 'MAA='))]);
    expect(parsePem(bytes).certificates).toHaveLength(1);
  });

  test('what OpenSSL appends to a TRUSTED CERTIFICATE is cut off [TRUST-04]', () => {
    const long = [0x30, 0x81, 2, 1, 2];
    const text =
      section('TRUSTED CERTIFICATE', base64([0x30, 1, 7, 0x30, 0])) +
      section('TRUSTED CERTIFICATE', base64([...long, 9]));
    expect(parse(text)).toEqual({ certificates: [[0x30, 1, 7], long], trustedCount: 2, crlCount: 0 });
  });

  test.each<[string, string, string]>([
    ['an indefinite length', section('TRUSTED CERTIFICATE', base64([0x30, 0x80, 0, 0])), 'invalid DER length'],
    ['a length over the end', section('TRUSTED CERTIFICATE', base64([0x30, 9, 0])), 'invalid DER length'],
    ['bad base64', section('CERTIFICATE', 'MA*='), 'line 1: the CERTIFICATE is not valid base64'],
    ['base64 of a wrong length', section('CERTIFICATE', 'MAA'), 'line 1: the CERTIFICATE is not valid base64'],
    ['a section without its end', '\n-----BEGIN CERTIFICATE-----\nMAA=\n', 'line 2: BEGIN CERTIFICATE without its END'],
    ['an end without its begin', '-----END CERTIFICATE-----', 'line 1: END CERTIFICATE without its BEGIN'],
    ['another end', '-----BEGIN A-----\n-----END B-----', 'line 2: END B does not match BEGIN A'],
    ['a section in a section', '-----BEGIN A-----\n-----BEGIN A-----', 'line 2: BEGIN A inside the A of line 1'],
    [
      'a malformed key',
      section('CERTIFICATE', 'MAA=') + section('PRIVATE KEY', '!!'),
      'line 4: the PRIVATE KEY is not valid base64',
    ],
    ['a half BEGIN line', '-----BEGIN CERTIFICATE', 'line 1: a BEGIN without its final dashes'],
  ])('%s is malformed, wherever it is [TRUST-05]', (_title, text, message) => {
    expect(() => parsePem(Buffer.from(text))).toThrow(PemError);
    expect(() => parsePem(Buffer.from(text))).toThrow(message);
  });
});

test.each<[string, readonly number[], number | undefined]>([
  ['the short form', [0x30, 2, 1, 2, 9], 4],
  ['an empty object', [0x30, 0], 2],
  ['the long form', [0x30, 0x82, 0, 1, 5, 9], 5],
  ['the longest short form', [0x30, 0x7f, ...new Array<number>(0x7f).fill(0)], 0x81],
  ['an indefinite length', [0x30, 0x80, 0, 0], undefined],
  ['a length of five bytes', [0x30, 0x85, 0, 0, 0, 0, 0], undefined],
  ['a length that is cut off', [0x30, 0x82, 0], undefined],
  ['an object that is cut off', [0x30, 2, 1], undefined],
  ['one byte', [0x30], undefined],
  ['nothing', [], undefined],
])('the length of a DER object: %s [TRUST-04]', (_title, bytes, length) => {
  expect(firstObjectLength(Uint8Array.from(bytes))).toBe(length);
});
