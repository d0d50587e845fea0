import type { Dialer } from '@quire/network';
import { expect, test } from 'vitest';
import { HttpCourier } from '../../src/export/http-courier.ts';

test('sending ends with its signal also while the way to the collector is not ready [TEL-91]', async () => {
  const controller = new AbortController();
  /** Its files are never read to their end. */
  const dialer: Pick<Dialer, 'route'> = {
    route: (_url, options) =>
      new Promise((_resolve, reject) => {
        options?.signal.addEventListener('abort', () => reject(options.signal.reason));
        controller.abort(new Error('the time is over'));
      }),
  };
  const address = { url: new URL('https://h/v1/logs'), headers: {}, protocol: 'json' } as const;
  const courier = new HttpCourier(dialer, address, () => 0);
  await expect(courier.send(Buffer.alloc(0), { signal: controller.signal })).rejects.toThrow('the time is over');
});
