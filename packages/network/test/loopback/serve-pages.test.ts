import { once } from 'node:events';
import { get } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { PortTakenError, servePages } from '../../src/index.ts';

const page = { kind: 'text', status: 200, body: 'here' } as const;

async function ask(host: string, port: number): Promise<string> {
  return await new Promise((resolve, reject) => {
    get({ host, port, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
}

const HAS_IPV6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

/** Somebody else, on one of the addresses of loopback. */
async function stranger(host: string): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = createServer();
  server.listen(/* port */ 0, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

test.skipIf(!HAS_IPV6)('pages are served on both addresses that localhost may mean [AUTH-88]', async () => {
  const server = await servePages({ port: 0, onVisit: () => Promise.resolve(page) });
  const seen = [await ask('127.0.0.1', server.port), await ask('::1', server.port)];
  await server.close();
  expect(seen).toEqual(['here', 'here']);
});

test.skipIf(!HAS_IPV6).each([
  ['127.0.0.1', '::1'],
  ['::1', '127.0.0.1'],
])('a port that somebody has on %s alone is taken, and %s is left alone [AUTH-88]', async (host, otherHost) => {
  await using other = await stranger(host);
  const serving = servePages({ port: other.port, onVisit: () => Promise.resolve(page) });
  await expect(serving).rejects.toBeInstanceOf(PortTakenError);
  const again = createServer();
  again.listen(other.port, otherHost);
  await once(again, 'listening');
  again.close();
});
