import { NetworkError } from '@quire/network';
import { expect, test } from 'vitest';
import { parseTarget } from '../src/target.ts';

test.each<[string, ReturnType<typeof parseTarget>]>([
  ['http://a.example', { host: 'a.example', port: 80, secure: false, authority: 'a.example:80' }],
  ['ws://a.example/x', { host: 'a.example', port: 80, secure: false, authority: 'a.example:80' }],
  ['https://A.Example:443', { host: 'a.example', port: 443, secure: true, authority: 'a.example:443' }],
  ['wss://a_b.example:8443', { host: 'a_b.example', port: 8443, secure: true, authority: 'a_b.example:8443' }],
  ['https://a.example./', { host: 'a.example', port: 443, secure: true, authority: 'a.example:443' }],
  ['http://127.1', { host: '127.0.0.1', port: 80, secure: false, authority: '127.0.0.1:80' }],
  ['http://[0:0::1]:8080', { host: '::1', port: 8080, secure: false, authority: '[::1]:8080' }],
  [
    'https://b\u00fccher.example',
    { host: 'xn--bcher-kva.example', port: 443, secure: true, authority: 'xn--bcher-kva.example:443' },
  ],
])('%s leads to one host, port and authority [PROXY-07]', (url, target) => {
  expect(parseTarget(new URL(url))).toEqual(target);
});

test.each([
  'http://attacker.example,allowed.example',
  "http://attacker'.allowed.example",
  'http://attacker(.allowed.example',
  'http://a..b',
  'http://a.example..',
  `http://${'a'.repeat(64)}.example`,
  'http://a:0',
  'ftp://a.example',
  'file:///etc/passwd',
  'unix:/run/x.sock',
])('%s is no host that every party reads alike [PROXY-07]', (url) => {
  expect(() => parseTarget(new URL(url))).toThrow(NetworkError);
});

test.each([
  'http://attacker\0.allowed.example',
  'http://attacker%00.allowed.example',
  'http://a b',
  'http://[::1%25eth0]',
])('%j is not even a URL [PROXY-07]', (url) => {
  expect(URL.canParse(url)).toBe(false);
});
