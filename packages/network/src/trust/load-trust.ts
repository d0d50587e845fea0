import { X509Certificate } from 'node:crypto';
import * as tls from 'node:tls';
import type { DialerLog } from '../dialer-log.ts';
import type { Environment } from '../environment.ts';
import { systemCode } from '../failure.ts';
import { NetworkError } from '../network-error.ts';
import { type PemBundle, PemError, parsePem } from './pem.ts';
import { NotAFileError, readRegularFile } from './read-regular-file.ts';
import { type SelectedBundle, selectBundle } from './select-bundle.ts';
import type { TlsFiles } from './tls-files.ts';

const HINT =
  'set CODEX_CA_CERTIFICATE or SSL_CERT_FILE to a PEM file with one or more CERTIFICATE blocks, or unset both to use the system roots';
const OWN_HINT = 'it must be a PEM file with one or more CERTIFICATE blocks';

/**
 * The authorities to trust: those of Node (with `NODE_EXTRA_CA_CERTS`), those of the selected bundle and those of
 * `files`; and who this side is. `undefined` when nothing of that is selected: Node's own choice is right then. Throws
 * NetworkError 'configuration'.
 */
export async function loadTrust(
  environment: Environment,
  log: (record: DialerLog) => void,
  files: TlsFiles = {},
): Promise<tls.SecureContext | undefined> {
  const selected = [selectBundle(environment), ownBundle(files)].filter((bundle) => bundle !== undefined);
  const identity = await readIdentity(files);
  if (selected.length === 0 && identity === undefined) return undefined;
  const added: Buffer[] = [];
  for (const bundle of selected) added.push(...(await readSelected(bundle, log)));
  const trusted = selected.length === 0 ? {} : { ca: await authorities(added, environment) };
  try {
    return tls.createSecureContext({ ...trusted, ...identity });
  } catch (cause) {
    const [first] = selected;
    if (identity === undefined && first !== undefined) throw bundleError(first, 'cannot be used', cause);
    throw identityError(files, `cannot be used (${systemCode(cause) ?? 'unknown error'})`, cause);
  }
}

async function readSelected(selected: SelectedBundle, log: (record: DialerLog) => void): Promise<readonly Buffer[]> {
  try {
    const { certificates, trustedCount, crlCount } = await readBundle(selected);
    log({ kind: 'certificates-loaded', ...selected, certificateCount: certificates.length, trustedCount, crlCount });
    return certificates;
  } catch (error) {
    const failure = error instanceof NetworkError ? error : bundleError(selected, 'cannot be used', error);
    log({ kind: 'certificates-failed', ...selected, message: failure.message });
    throw failure;
  }
}

function ownBundle({ caCertificate }: TlsFiles): SelectedBundle | undefined {
  return caCertificate === undefined ? undefined : { variable: 'ca-certificate', path: caCertificate };
}

async function readIdentity(files: TlsFiles): Promise<{ readonly cert: Buffer; readonly key: Buffer } | undefined> {
  const { clientCertificate, clientPrivateKey } = files;
  if (clientCertificate === undefined && clientPrivateKey === undefined) return undefined;
  if (clientCertificate === undefined || clientPrivateKey === undefined) {
    throw identityError(files, 'is one half only', /* cause */ undefined);
  }
  try {
    const [cert, key] = await Promise.all([readRegularFile(clientCertificate), readRegularFile(clientPrivateKey)]);
    return { cert, key };
  } catch (cause) {
    throw identityError(files, `cannot be read (${readingProblem(cause)})`, cause);
  }
}

function identityError(files: TlsFiles, what: string, cause: unknown): NetworkError {
  const { clientCertificate = 'not named', clientPrivateKey = 'not named' } = files;
  const message = `the client certificate (client-certificate: ${clientCertificate}, client-private-key: ${clientPrivateKey}) ${what}; both must be PEM files that belong together`;
  return new NetworkError('configuration', message, { host: '', port: 0, retryable: false, cause });
}

async function readBundle(selected: SelectedBundle): Promise<PemBundle> {
  let bytes: Buffer;
  try {
    bytes = await readRegularFile(selected.path);
  } catch (cause) {
    throw bundleError(selected, `cannot be read (${readingProblem(cause)})`, cause);
  }
  const bundle = parse(bytes, selected);
  if (bundle.certificates.length === 0) {
    throw bundleError(selected, 'cannot be used: no certificates found in PEM file', /* cause */ undefined);
  }
  for (const [index, der] of bundle.certificates.entries()) {
    try {
      // The TLS library skips what it can not read; a person who named the file wants to know.
      new X509Certificate(der);
    } catch (cause) {
      const reason = systemCode(cause) ?? 'not a certificate';
      throw bundleError(selected, `cannot be used: failed to parse certificate #${index + 1} (${reason})`, cause);
    }
  }
  return bundle;
}

function readingProblem(cause: unknown): string {
  return cause instanceof NotAFileError ? cause.message : (systemCode(cause) ?? 'unknown error');
}

function parse(bytes: Buffer, selected: SelectedBundle): PemBundle {
  try {
    return parsePem(bytes);
  } catch (error) {
    if (!(error instanceof PemError)) throw error;
    throw bundleError(selected, `cannot be used: failed to parse PEM file: ${error.message}`, error);
  }
}

function bundleError({ variable, path }: SelectedBundle, what: string, cause: unknown): NetworkError {
  const hint = variable === 'ca-certificate' ? OWN_HINT : HINT;
  const message = `the certificate file ${path}, selected by ${variable}, ${what}; ${hint}`;
  return new NetworkError('configuration', message, { host: '', port: 0, retryable: false, cause });
}

/** A given list replaces what Node trusts by itself, so it starts with exactly that. */
export async function authorities(certificates: readonly Buffer[], environment: Environment): Promise<string[]> {
  const own = await ownAuthorities(environment);
  const known = new Set(own.map(withoutBreaks));
  const added = certificates.map(toPem).filter((pem) => !known.has(withoutBreaks(pem)));
  return [...own, ...added];
}

async function ownAuthorities(environment: Environment): Promise<string[]> {
  // Node 22.15 and later: the defaults with NODE_EXTRA_CA_CERTS and, with --use-system-ca, the system's.
  const { getCACertificates } = tls as { readonly getCACertificates?: (type: 'default') => string[] };
  if (getCACertificates !== undefined) return getCACertificates('default');
  const path = environment['NODE_EXTRA_CA_CERTS'];
  if (path === undefined || path === '') return [...tls.rootCertificates];
  try {
    return [...tls.rootCertificates, ...parsePem(await readRegularFile(path)).certificates.map(toPem)];
  } catch {
    // Node itself starts without a file that it can not read, and has said so on stderr.
    return [...tls.rootCertificates];
  }
}

function toPem(der: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`;
}

function withoutBreaks(pem: string): string {
  return pem.replace(/\s/g, '');
}
