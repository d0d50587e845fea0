import { request } from 'node:http';
import { expect, test } from 'vitest';
import { listenOnLoopback } from '../../src/index.ts';

function ask(port: number, path: string, method = 'GET'): Promise<readonly [number | undefined, string]> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, method }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += String(chunk);
      });
      response.on('end', () => resolve([response.statusCode, text]));
    })
      .on('error', reject)
      .end();
  });
}

test('a browser that comes back is answered, other requests are not, and the port is free afterwards [MCP-48]', async () => {
  const visits: string[] = [];
  const listener = await listenOnLoopback({
    port: 0,
    onVisit: (url) => {
      visits.push(`${url.pathname}${url.search}`);
      return { status: 200, text: 'thanks' };
    },
  });
  expect(await ask(listener.port, '/callback?code=1')).toEqual([200, 'thanks']);
  expect(await ask(listener.port, '/callback', 'POST')).toEqual([405, 'GET only']);
  expect(await ask(listener.port, '//evil')).toEqual([405, 'GET only']);
  expect(visits).toEqual(['/callback?code=1']);
  await expect(listenOnLoopback({ port: listener.port, onVisit: () => ({ status: 200, text: '' }) })).rejects.toThrow(
    `can not listen on 127.0.0.1:${listener.port} (EADDRINUSE)`,
  );
  await listener.close();
  await listener.close();
  await expect(ask(listener.port, '/')).rejects.toThrow('ECONNREFUSED');
});
