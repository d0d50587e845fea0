/** Real TLS on loopback for all that has to do with a login: way × certificate × what is asked for. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LoginKeeper, loadLogins } from '@quire/auth';
import { createDialer } from '@quire/network';
import {
  type CertificateAuthority,
  createCertificateAuthority,
  type ServerCertificate,
  Simulator,
} from '@quire/simulator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requireNoIssuedSecretBelow } from '../support/issued-secrets.ts';
import { WAYS } from './support/ways.ts';

const signal = new AbortController().signal;
const client = { originator: 'quire_test', userAgent: 'quire_test/1' };

let trusted: CertificateAuthority;
let other: CertificateAuthority;
let certificates: Readonly<Record<'valid' | 'expired', ServerCertificate>>;
beforeAll(async () => {
  [trusted, other] = [
    await createCertificateAuthority(),
    await createCertificateAuthority({ name: 'Other Authority' }),
  ];
  certificates = { valid: await trusted.issue(), expired: await trusted.issue({ expired: true }) };
});
afterAll(() => Promise.all([trusted[Symbol.asyncDispose](), other[Symbol.asyncDispose]()]));

interface Cell {
  readonly open: (typeof WAYS)[number]['open'];
  readonly certificate: ServerCertificate;
  readonly trust: CertificateAuthority;
}

/** A home folder, a server and the way between them. */
async function stage({ open, certificate, trust }: Cell) {
  const ca = { ...trusted, issue: () => Promise.resolve(certificate) };
  const simulator = await Simulator.start({ tls: { ca }, oauth: { accessTokenLifetimeSeconds: 30 } });
  const way = await open();
  const home = await mkdtemp(join(tmpdir(), 'quire-sign-in-'));
  const file = join(home, 'auth.json');
  const environment = {
    PATH: process.env['PATH'],
    CODEX_CA_CERTIFICATE: trust.file,
    CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${simulator.issuer}/oauth/token`,
    ...way.environment,
  };
  const dialer = createDialer({ environment });
  const keeper = new LoginKeeper({ home, environment, client });
  const target = `CONNECT 127.0.0.1:${simulator.port}`;
  return {
    simulator,
    keeper,
    file,
    logIn: () =>
      loadLogins().withDevice({
        keeper,
        dialer,
        client,
        issuer: simulator.issuer,
        workspaces: undefined,
        environment,
        onWarning: (message) => {
          throw new Error(message);
        },
        onPrompt: ({ userCode }) => simulator.oauth.approveDevice(userCode),
        minIntervalMs: 1,
        signal,
      }),
    logOut: () => loadLogins().logOut(keeper, { dialer, client, environment, signal }),
    targets: () => [...new Set(way.targets().map((entry) => (entry === target ? 'the server' : entry)))],
    async [Symbol.asyncDispose]() {
      dialer.close();
      await simulator.close();
      await way[Symbol.asyncDispose]();
      await requireNoIssuedSecretBelow(home).finally(() => rm(home, { recursive: true, force: true }));
    },
  };
}

describe.each(WAYS)('$way', ({ way, open }) => {
  test('a login, its renewal and its end reach a server of the private authority [TRANSPORT-42]', async () => {
    await using given = await stage({ open, certificate: certificates.valid, trust: trusted });
    await given.logIn();
    const renewed = await given.keeper.current({ signal }); // the token ends within seconds
    expect(renewed).toMatchObject({ kind: 'chatgpt', accountId: 'account-1' });
    expect(given.simulator.oauth.refreshes.length).toBe(1);
    expect(await given.logOut()).toEqual({ removed: true, revocationProblem: undefined });
    expect(given.simulator.oauth.requests.map(({ endpoint }) => endpoint)).toEqual(
      expect.arrayContaining(['device-code', 'device-token', 'token', 'revoke']),
    );
    expect(given.targets()).toEqual(way === 'direct' ? [] : ['the server']);
  });

  test.each([
    {
      name: 'of another authority',
      of: () => ({ certificate: certificates.valid, trust: other }),
      message: 'is not trusted (UNABLE_TO_VERIFY_LEAF_SIGNATURE)',
    },
    {
      name: 'that has expired',
      of: () => ({ certificate: certificates.expired, trust: trusted }),
      message: 'is not trusted (CERT_HAS_EXPIRED)',
    },
  ])(
    'a certificate $name ends login, renewal and revocation with one line, and nothing is sent [TRANSPORT-43]',
    async ({ of, message }) => {
      await using given = await stage({ open, ...of() });
      await expect(given.logIn()).rejects.toThrow(message);
      const stored = JSON.stringify({
        auth_mode: 'chatgpt',
        OPENAI_API_KEY: null,
        tokens: { id_token: 'a.e30.c', access_token: 'opaque', refresh_token: 'refresh', account_id: 'account-1' },
        last_refresh: new Date().toISOString(),
      });
      await writeFile(given.file, stored, { mode: 0o600 });
      await expect(given.keeper.renewNow({ signal })).rejects.toThrow(message);
      expect(await readFile(given.file, 'utf8')).toBe(stored);
      expect(await given.logOut()).toEqual({ removed: true, revocationProblem: expect.stringContaining(message) });
      expect(given.simulator.oauth.requests).toEqual([]);
    },
  );
});
