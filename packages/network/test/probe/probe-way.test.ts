import { probeWay, type WayReport } from '@quire/network';
import { createCertificateAuthority, startConnectProxy } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { freePort, serveEcho, serveRaw } from '../support/servers.ts';

const signal = new AbortController().signal;

function probe(
  url: string,
  environment: Readonly<Record<string, string>> = {},
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
): Promise<WayReport> {
  return probeWay(new URL(url), { environment, signal, timeoutMs: 10_000, ...options });
}

/** `dns - tcp + proxy - tls !tls`: passed, not needed, not reached, or failed with a code. */
function summary({ stages }: WayReport): string {
  const marks = { passed: '+', 'not-needed': '-', 'not-reached': '?' } as const;
  return stages
    .map((stage) => `${stage.name} ${stage.outcome === 'failed' ? `!${stage.error.code}` : marks[stage.outcome]}`)
    .join(' ');
}

describe('the way to a server', () => {
  test('has its stages told apart, and names the private authority behind a certificate [DIAL-11]', async () => {
    await using authority = await createCertificateAuthority({ name: 'Corporate Root' });
    await using server = await serveEcho(await authority.issue());
    const url = `https://localhost:${server.port}/v1`;

    const trusted = await probe(url, { CODEX_CA_CERTIFICATE: authority.file });
    const untrusted = await probe(url);

    expect([summary(trusted), summary(untrusted)]).toEqual([
      'dns + tcp + proxy - tls +',
      'dns + tcp + proxy - tls !tls',
    ]);
    expect(trusted).toMatchObject({
      target: `localhost:${server.port}`,
      proxy: undefined,
      isExcepted: false,
      trust: { variable: 'CODEX_CA_CERTIFICATE', path: authority.file, certificateCount: 1 },
      certificate: { issuer: 'Corporate Root', authority: 'Corporate Root', isPrivateAuthority: true },
    });
    expect(trusted.addresses.length).toBeGreaterThan(0);
    expect([untrusted.trust, untrusted.certificate]).toEqual([undefined, undefined]);
    while (server.sockets.size > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  test('ends where nobody listens, where a name leads nowhere, and where a file of authorities is missing [DIAL-11]', async () => {
    await using server = await serveEcho();
    expect(summary(await probe(`https://127.0.0.1:${await freePort()}`))).toBe('dns - tcp !tcp proxy - tls ?');
    expect(summary(await probe('https://nowhere.invalid'))).toBe('dns !dns tcp ? proxy - tls ?');
    const missing = await probe(`https://127.0.0.1:${server.port}`, { SSL_CERT_FILE: '/nowhere/authority.pem' });
    expect([summary(missing), missing.trust]).toEqual([
      'dns - tcp + proxy - tls !configuration',
      { variable: 'SSL_CERT_FILE', path: '/nowhere/authority.pem', certificateCount: undefined },
    ]);
  });

  test('goes through the proxy that the environment names, without showing its credentials [DIAL-12]', async () => {
    await using authority = await createCertificateAuthority();
    await using server = await serveEcho(await authority.issue());
    await using proxy = await startConnectProxy({ credentials: { username: 'person', password: 'hidden-word' } });
    const url = `https://127.0.0.1:${server.port}`;
    const withUser = proxy.url.replace('http://', 'http://person:hidden-word@');
    const environment = { HTTPS_PROXY: withUser, CODEX_CA_CERTIFICATE: authority.file };

    const through = await probe(url, environment);
    const refused = await probe(url, { HTTPS_PROXY: proxy.url });
    const around = await probe(url, { ...environment, NO_PROXY: '127.0.0.1' });
    const broken = await probe(url, { HTTPS_PROXY: 'gopher://person:hidden-word@h' });

    expect([through, refused, around].map(summary)).toEqual([
      'dns - tcp + proxy + tls +',
      'dns - tcp + proxy !proxy tls ?',
      'dns - tcp + proxy - tls +',
    ]);
    expect([through.proxy, around.proxy, through.isExcepted, around.isExcepted]).toEqual([
      { variable: 'HTTPS_PROXY', authority: `127.0.0.1:${proxy.port}`, hasCredentials: true },
      undefined,
      false,
      true,
    ]);
    expect([broken.stages, broken.problem?.code]).toEqual([[], 'configuration']);
    expect(JSON.stringify([through, refused, around, broken, broken.problem?.message])).not.toContain('hidden-word');
  });

  test('is given up in time when the other end is silent, and at once by its signal [DIAL-13]', async () => {
    await using silent = await serveRaw((socket) => socket.resume());
    const url = `https://127.0.0.1:${silent.port}`;
    expect(summary(await probe(url, {}, { timeoutMs: 1_000 }))).toBe('dns - tcp + proxy - tls !timeout');
    const controller = new AbortController();
    const probing = probe(url, {}, { signal: controller.signal });
    const rejected = expect(probing).rejects.toThrow('enough');
    while (silent.sockets.size === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort(new Error('enough'));
    await rejected;
  });
});
