import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDialer, type DialerLog, type Environment, NetworkError, type TlsFiles } from '@quire/network';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { selectBundle } from '../../src/trust/select-bundle.ts';
import { type Certificates, createCertificates } from '../support/certificates.ts';
import { requestText, serveEcho, type TestServer, upgradeLine } from '../support/servers.ts';

const HINT =
  'set CODEX_CA_CERTIFICATE or SSL_CERT_FILE to a PEM file with one or more CERTIFICATE blocks, or unset both to use the system roots';

let folder: string;
let certificates: Certificates;
let server: TestServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quire-trust-'));
  certificates = await createCertificates();
  server = await serveEcho(certificates.valid);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await certificates[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** A bundle in a file of its own. */
async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

/** The answer over https, or the error. */
async function answer(environment: Environment, log?: (record: DialerLog) => void): Promise<unknown> {
  const dialer = createDialer({ environment, ...(log === undefined ? {} : { log }) });
  try {
    return await requestText(dialer, `https://127.0.0.1:${server.port}/`);
  } catch (error) {
    return error;
  } finally {
    dialer.close();
  }
}

/** What comes of a request with these files. */
async function failureWith(tls: TlsFiles): Promise<unknown> {
  const dialer = createDialer({ environment: {}, tls });
  try {
    return await requestText(dialer, `https://127.0.0.1:${server.port}/`);
  } catch (error) {
    return error;
  } finally {
    dialer.close();
  }
}

const trusted = () => `GET / for 127.0.0.1:${server.port}`;

describe('selection', () => {
  test.each<[Environment, ReturnType<typeof selectBundle>]>([
    [{}, undefined],
    [{ CODEX_CA_CERTIFICATE: '', SSL_CERT_FILE: '' }, undefined],
    [
      { CODEX_CA_CERTIFICATE: '/a', SSL_CERT_FILE: '/b' },
      { variable: 'CODEX_CA_CERTIFICATE', path: '/a' },
    ],
    [
      { CODEX_CA_CERTIFICATE: '', SSL_CERT_FILE: '/b' },
      { variable: 'SSL_CERT_FILE', path: '/b' },
    ],
    [
      { CODEX_CA_CERTIFICATE: ' ', SSL_CERT_FILE: '/b' },
      { variable: 'CODEX_CA_CERTIFICATE', path: ' ' },
    ],
  ])('%j selects %j [TRUST-01]', (environment, selected) => {
    expect(selectBundle(environment)).toEqual(selected);
  });

  test('a broken winner does not give way to the other variable [TRUST-01]', async () => {
    const environment = { CODEX_CA_CERTIFICATE: join(folder, 'missing'), SSL_CERT_FILE: certificates.file };
    expect(await answer(environment)).toMatchObject({ code: 'configuration' });
  });

  test('plain http does not look at the bundle [TRUST-07]', async () => {
    await using plain = await serveEcho();
    const dialer = createDialer({ environment: { CODEX_CA_CERTIFICATE: join(folder, 'missing') } });
    expect(await requestText(dialer, `http://127.0.0.1:${plain.port}/x`)).toBe(`GET /x for 127.0.0.1:${plain.port}`);
    expect(await upgradeLine(dialer, `ws://127.0.0.1:${plain.port}/`)).toBe('HTTP/1.1 101 Switching Protocols');
    dialer.close();
  });
});

describe('bundles', () => {
  test('every certificate of a bundle is trusted, wherever it stands [TRUST-03]', async () => {
    const [own, other] = [await readFile(certificates.file, 'utf8'), await readFile(certificates.otherFile, 'utf8')];
    for (const text of [own + other, `a comment\n${other}\n${own}`, own.replaceAll('\n', '\r\n')]) {
      expect(await answer({ SSL_CERT_FILE: await file('many.pem', text) })).toBe(trusted());
    }
  });

  test('a TRUSTED CERTIFICATE of OpenSSL and a revocation list are read, and told to the log [TRUST-04]', async () => {
    const path = join(folder, 'trusted.pem');
    execFileSync('openssl', ['x509', '-in', certificates.file, '-trustout', '-addtrust', 'serverAuth', '-out', path]);
    const text = await readFile(path, 'utf8');
    expect(text).toContain('BEGIN TRUSTED CERTIFICATE');
    await writeFile(path, `${text}-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n`);
    const records: DialerLog[] = [];
    expect(await answer({ CODEX_CA_CERTIFICATE: path }, (record) => records.push(record))).toBe(trusted());
    const variable = 'CODEX_CA_CERTIFICATE';
    const counts = { certificateCount: 1, trustedCount: 1, crlCount: 1 };
    expect(records).toEqual([{ kind: 'certificates-loaded', variable, path, ...counts }]);
  });

  test('a bundle adds to NODE_EXTRA_CA_CERTS and to the roots of the platform [TRUST-02]', async () => {
    const script = `
      import { createServer } from 'node:https';
      import { rootCertificates } from 'node:tls';
      import { loadTrust } from './load-trust.mjs';
      const context = await loadTrust(process.env, () => undefined);
      // Node lists what a context trusts nowhere: a certificate of each kind is looked for by verifying it.
      const { connect } = await import('node:tls');
      const server = createServer({ key: process.env.SERVER_KEY, cert: process.env.SERVER_CERT }).listen(0, '127.0.0.1', () => {
        const { port } = server.address();
        const socket = connect({ host: '127.0.0.1', port, secureContext: context }, () => {
          process.stdout.write(rootCertificates.length > 0 && socket.authorized ? 'trusted' : 'not trusted');
          socket.destroy();
          server.close();
        });
      });`;
    const { build } = await import('esbuild');
    const entry = new URL('../../src/trust/load-trust.ts', import.meta.url).pathname;
    await build({
      entryPoints: [entry],
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: join(folder, 'load-trust.mjs'),
    });
    const main = await file('main.mjs', script);
    const { key, cert } = certificates.valid;
    // The bundle is of another authority; that of the server comes from Node's own variable.
    const env = {
      PATH: process.env['PATH'],
      CODEX_CA_CERTIFICATE: certificates.otherFile,
      NODE_EXTRA_CA_CERTS: certificates.file,
      SERVER_KEY: key,
      SERVER_CERT: cert,
    };
    expect(execFileSync(process.execPath, [main], { env, encoding: 'utf8' })).toBe('trusted');
  });
});

describe('a bundle that can not be used is a configuration error with variable, path and remedy', () => {
  const broken: readonly (readonly [string, string | undefined, string])[] = [
    ['missing.pem', undefined, 'cannot be read (ENOENT)'],
    ['empty.pem', '', 'cannot be used: no certificates found in PEM file'],
    [
      'key.pem',
      '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
      'cannot be used: no certificates found in PEM file',
    ],
    [
      'cut.pem',
      '-----BEGIN CERTIFICATE-----\nAAAA\n',
      'cannot be used: failed to parse PEM file: line 1: BEGIN CERTIFICATE without its END',
    ],
  ];
  test.each(broken)('%s [TRUST-05]', async (name, content, what) => {
    const path = join(folder, name);
    if (content !== undefined) await writeFile(path, content);
    for (const variable of ['CODEX_CA_CERTIFICATE', 'SSL_CERT_FILE']) {
      const records: DialerLog[] = [];
      const error = await answer({ [variable]: path }, (record) => records.push(record));
      const message = `the certificate file ${path}, selected by ${variable}, ${what}; ${HINT}`;
      expect(error).toBeInstanceOf(NetworkError);
      expect(error).toMatchObject({ code: 'configuration', retryable: false, message });
      expect(records).toEqual([{ kind: 'certificates-failed', variable, path, message }]);
    }
  });

  test('a certificate that the TLS library refuses is told by its number [TRUST-06]', async () => {
    const own = await readFile(certificates.file, 'utf8');
    const path = await file('second.pem', `${own}-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n`);
    const error = await answer({ SSL_CERT_FILE: path });
    expect(error).toMatchObject({ code: 'configuration' });
    expect((error as Error).message).toMatch(
      /^the certificate file .*, selected by SSL_CERT_FILE, cannot be used: failed to parse certificate #2 \(ERR_\w+\); set /,
    );
  });

  test('a pipe in the place of a file is refused at once, also of the client certificate [TRUST-18]', async () => {
    const path = join(folder, 'pipe.pem');
    execFileSync('mkfifo', [path]);
    const what = 'cannot be read (it is not a regular file)';
    expect({
      bundle: await answer({ CODEX_CA_CERTIFICATE: path }),
      own: await failureWith({ caCertificate: path }),
    }).toMatchObject({
      bundle: {
        code: 'configuration',
        retryable: false,
        message: `the certificate file ${path}, selected by CODEX_CA_CERTIFICATE, ${what}; ${HINT}`,
      },
      own: {
        code: 'configuration',
        message: `the certificate file ${path}, selected by ca-certificate, ${what}; it must be a PEM file with one or more CERTIFICATE blocks`,
      },
    });
    const identity = await failureWith({ clientCertificate: certificates.file, clientPrivateKey: path });
    expect(identity).toMatchObject({
      code: 'configuration',
      message: expect.stringContaining(`client-private-key: ${path}) ${what}; both must be PEM files`),
    });
  });

  test('it fails WebSocket connections and connections to an https proxy, too [TRUST-05]', async () => {
    const CODEX_CA_CERTIFICATE = join(folder, 'missing');
    const wss = createDialer({ environment: { CODEX_CA_CERTIFICATE } });
    await expect(upgradeLine(wss, `wss://127.0.0.1:${server.port}`)).rejects.toMatchObject({ code: 'configuration' });
    const proxied = createDialer({
      environment: { CODEX_CA_CERTIFICATE, HTTP_PROXY: `https://127.0.0.1:${server.port}` },
    });
    await expect(requestText(proxied, 'http://h/')).rejects.toMatchObject({ code: 'configuration' });
  });
});

test('a bundle is read once, and after a failure again [TRUST-07]', async () => {
  const path = join(folder, 'late.pem');
  const records: DialerLog[] = [];
  const dialer = createDialer({ environment: { SSL_CERT_FILE: path }, log: (record) => records.push(record) });
  const url = `https://127.0.0.1:${server.port}/`;
  await expect(requestText(dialer, url)).rejects.toMatchObject({ code: 'configuration' });
  await writeFile(path, await readFile(certificates.file));
  expect(await requestText(dialer, url)).toBe(trusted());
  expect(await upgradeLine(dialer, url)).toBe('HTTP/1.1 101 Switching Protocols');
  expect(records.map(({ kind }) => kind)).toEqual(['certificates-failed', 'certificates-loaded']);
  dialer.close();
});
