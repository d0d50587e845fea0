import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SimulatorError } from '../simulator-error.ts';

const run = promisify(execFile);

/** A server's key and certificate, as `node:tls` and `node:https` take them. PEM. */
export interface ServerCertificate {
  readonly key: string;
  readonly cert: string;
}

export interface CertificateOptions {
  /** Names and addresses that the certificate is for. Default: 127.0.0.1 and localhost. */
  readonly hosts?: readonly string[];
  /** Its last day is over. */
  readonly expired?: boolean;
}

/** A private authority that no system trusts. Its folder of files is removed on disposal. */
export interface CertificateAuthority extends AsyncDisposable {
  /** The authority's own certificate. PEM. */
  readonly certificate: string;
  /** File that holds `certificate`, for instance for `CODEX_CA_CERTIFICATE`. */
  readonly file: string;
  issue(options?: CertificateOptions): Promise<ServerCertificate>;
}

/** Needs the `openssl` command. Error: SimulatorError 'not-started'. */
export async function createCertificateAuthority(
  options: { readonly name?: string } = {},
): Promise<CertificateAuthority> {
  const folder = await mkdtemp(join(tmpdir(), 'quire-authority-'));
  const [key, file] = [join(folder, 'authority-key.pem'), join(folder, 'authority.pem')];
  const subject = ['-subj', `/CN=${options.name ?? 'Test Authority'}`];
  try {
    await openssl(['req', '-x509', ...NEW_KEY, '-keyout', key, '-out', file, '-days', '2', ...subject]);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  let count = 0;
  return {
    certificate: await readFile(file, 'utf8'),
    file,
    issue: (wanted = {}) => {
      count += 1;
      return issue({ folder, key, file, name: `server-${count}` }, wanted);
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

interface Issuer {
  readonly folder: string;
  readonly key: string;
  readonly file: string;
  readonly name: string;
}

async function issue(issuer: Issuer, options: CertificateOptions): Promise<ServerCertificate> {
  const at = (kind: string): string => join(issuer.folder, `${issuer.name}${kind}.pem`);
  const [key, request, certificate, extensions] = [at('-key'), at('-request'), at(''), at('-extensions')];
  const hosts = options.hosts ?? ['127.0.0.1', 'localhost'];
  const names = hosts.map((host) => `${isIP(host) === 0 ? 'DNS' : 'IP'}:${host}`).join(',');
  await writeFile(extensions, `subjectAltName=${names}\n`);
  await openssl(['req', '-new', ...NEW_KEY, '-keyout', key, '-out', request, '-subj', '/CN=Test Server']);
  // A serial of its own: the file that openssl would count in can not be shared by calls at once.
  const serial = `0x${randomBytes(8).toString('hex')}`;
  const authority = ['-CA', issuer.file, '-CAkey', issuer.key, '-set_serial', serial];
  const days = options.expired === true ? '-1' : '2';
  await openssl(
    ['x509', '-req', '-in', request, ...authority, '-days', days, '-extfile', extensions].concat(['-out', certificate]),
  );
  return { key: await readFile(key, 'utf8'), cert: await readFile(certificate, 'utf8') };
}

async function openssl(parameters: readonly string[]): Promise<void> {
  try {
    await run('openssl', parameters, { timeout: 30_000 });
  } catch (cause) {
    throw new SimulatorError('not-started', `openssl ${parameters[0]} failed; certificates need the openssl command`, {
      cause,
    });
  }
}
