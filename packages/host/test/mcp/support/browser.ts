import { get } from 'node:http';

/** A browser whose person agrees to everything. */
export function visit(
  url: string,
  change: (url: URL) => void = () => undefined,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      const { location } = response.headers;
      if (location !== undefined) {
        const next = new URL(location);
        change(next);
        resolve(visit(next.href));
        return;
      }
      let text = '';
      response.on('data', (chunk) => {
        text += String(chunk);
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    }).on('error', reject);
  });
}
