import { NetworkError } from '@quire/network';
import { describe, expect, test } from 'vitest';
import { selectProxy } from '../../src/proxy/select-proxy.ts';
import { parseTarget } from '../../src/target.ts';

const select = (url: string, environment: Record<string, string>) =>
  selectProxy(parseTarget(new URL(url)), environment);
const chosen = (url: string, environment: Record<string, string>) => select(url, environment)?.authority;

describe('NO_PROXY', () => {
  test.each<[string, string, boolean]>([
    ['*', 'http://a.example', true],
    ['b.example, a.example', 'http://a.example', true],
    ['example', 'http://a.example', true],
    ['.a.example', 'http://a.example', true],
    ['*.example', 'http://x.a.example', true],
    ['A.Example', 'http://a.example', true],
    ['a.example', 'http://a.example.', true],
    ['a.example.', 'http://a.example', true],
    ['a.example', 'http://not-a.example', false],
    ['a.example:8080', 'http://a.example:8080', true],
    ['a.example:8080', 'http://a.example', false],
    ['a.example:080', 'http://a.example', true],
    ['127.0.0.0/8', 'http://127.1.2.3', true],
    ['10.0.0.0/8', 'http://127.1.2.3', false],
    ['127.0.0.1', 'http://127.1', true],
    ['::1', 'http://[::1]:80', true],
    ['0:0:0:0:0:0:0:1', 'http://[::1]', true],
    ['[::1]:80', 'http://[::1]', true],
    ['[::1]:81', 'http://[::1]', false],
    ['fd00::/8', 'http://[fd12::1]', true],
    ['10.0.0.0/99', 'http://10.1.1.1', false],
    ['.', 'http://a.example', false],
    ['a.example\0.b', 'http://a.example', false],
    ['\0', 'http://a.example', false],
    ['', 'http://a.example', false],
  ])('%j leaves out %s: %j [PROXY-06]', (exceptions, url, direct) => {
    const proxy = chosen(url, { HTTP_PROXY: 'http://p:1', NO_PROXY: exceptions });
    expect(proxy).toBe(direct ? undefined : 'p:1');
  });
});

test('lower case wins, the scheme wins over ALL_PROXY, blank is unset [PROXY-06]', () => {
  expect([
    chosen('http://h', { http_proxy: 'low:1', HTTP_PROXY: 'up:1' }),
    chosen('https://h', { ALL_PROXY: 'all:1', HTTPS_PROXY: 'scheme:1' }),
    chosen('https://h', { HTTPS_PROXY: ' ', all_proxy: 'all:1' }),
    chosen('https://h', { HTTP_PROXY: 'up:1' }),
    chosen('ws://h', { HTTP_PROXY: 'up:1' }),
    chosen('wss://h', { HTTPS_PROXY: 'up:1' }),
  ]).toEqual(['low:1', 'scheme:1', 'all:1', undefined, 'up:1', 'up:1']);
});

test('in a CGI program HTTP_PROXY comes from the caller and is not used [PROXY-06]', () => {
  const environment = { REQUEST_METHOD: 'GET', HTTP_PROXY: 'evil:1' };
  expect([chosen('http://h', environment), chosen('http://h', { ...environment, http_proxy: 'own:1' })]).toEqual([
    undefined,
    'own:1',
  ]);
});

test.each<[string, object]>([
  ['p', { scheme: 'http', host: 'p', port: 80, authority: 'p:80', credentials: undefined }],
  ['http://p:80', { scheme: 'http', host: 'p', port: 80, authority: 'p:80', credentials: undefined }],
  ['HTTPS://P/', { scheme: 'https', host: 'p', port: 443, authority: 'p:443', credentials: undefined }],
  ['socks5://p', { scheme: 'socks5', host: 'p', port: 1080, authority: 'p:1080', credentials: undefined }],
  ['socks5h://p:80', { scheme: 'socks5h', host: 'p', port: 80, authority: 'p:80', credentials: undefined }],
  ['socks4a://[::1]:9', { scheme: 'socks4a', host: '::1', port: 9, authority: '[::1]:9', credentials: undefined }],
  ['socks://p', { scheme: 'socks5h', host: 'p', port: 1080, authority: 'p:1080', credentials: undefined }],
  [
    'http://us%3ber:p%40ss%zz@p:8080/path',
    {
      scheme: 'http',
      host: 'p',
      port: 8080,
      authority: 'p:8080',
      credentials: { username: 'us;er', password: 'p%40ss%zz' },
    },
  ],
])('%s is understood [PROXY-06]', (value, expected) => {
  expect(select('http://h', { ALL_PROXY: value })).toEqual({ ...expected, variable: 'ALL_PROXY' });
});

const NO_URL =
  'ALL_PROXY is not the URL of a proxy; write it as http://host:port, https://host:port or socks5h://host:port';
test.each<[string, string]>([
  ['gopher://p:1', NO_URL],
  ['http://', NO_URL],
  ['http://p:99999', NO_URL],
  ['http://secret@p:port', NO_URL],
  ['http://p\0.allowed:1', NO_URL],
  ['socks5h://p\r\n:1', NO_URL],
  ['http://user%00:secret@p', 'ALL_PROXY has control characters in its user name or password'],
  ['socks4a://user%00x@p', 'ALL_PROXY has control characters in its user name or password'],
  ['http://user:se%0d%0acret@p', 'ALL_PROXY has control characters in its user name or password'],
  ['http://us%3aer:secret@p', 'ALL_PROXY has a colon in its user name, which no HTTP proxy can be told'],
  [
    `socks5://${'x'.repeat(256)}@p`,
    'ALL_PROXY has a user name or password of more than 255 bytes, which SOCKS can not carry',
  ],
])('%j is refused by the name of its variable, without its value [PROXY-05]', (value, message) => {
  let error: unknown;
  try {
    select('http://h', { ALL_PROXY: value });
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(NetworkError);
  expect(error).toMatchObject({ code: 'configuration', retryable: false, message });
});
