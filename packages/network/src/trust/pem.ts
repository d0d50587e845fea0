import { firstObjectLength } from './der.ts';

/** What a bundle holds. */
export interface PemBundle {
  /** DER of each certificate, in the order of the file. */
  readonly certificates: readonly Buffer[];
  /** `TRUSTED CERTIFICATE` sections, which were read as plain certificates. */
  readonly trustedCount: number;
  /** `X509 CRL` sections, which were left out. */
  readonly crlCount: number;
}

/** A file that is not PEM. The message says where and why. */
export class PemError extends Error {
  override readonly name = 'PemError';
}

const BEGIN = /^-----BEGIN ([^-]*)-----$/;
const END = /^-----END ([^-]*)-----$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
/** Header of a section, as encrypted keys have them; or the continuation of one. */
const HEADER = /^([A-Za-z0-9-]+:|\s)/;

/**
 * Reads the certificates of a PEM file; other sections and the text between are left out. Throws PemError.
 *
 * OpenSSL's `TRUSTED CERTIFICATE` sections append data of its own to the certificate: it is cut off.
 */
export function parsePem(bytes: Uint8Array): PemBundle {
  const text = Buffer.from(bytes).toString('utf8');
  const certificates: Buffer[] = [];
  let trustedCount = 0;
  let crlCount = 0;
  for (const section of sections(text.split(/\r\n|\r|\n/))) {
    if (section.label === 'X509 CRL') crlCount += 1;
    else if (section.label === 'CERTIFICATE' || section.label === 'X509 CERTIFICATE') certificates.push(section.der);
    else if (section.label === 'TRUSTED CERTIFICATE') {
      trustedCount += 1;
      certificates.push(withoutTrailer(section));
    }
  }
  return { certificates, trustedCount, crlCount };
}

interface Section {
  readonly label: string;
  /** Number of the BEGIN line. */
  readonly line: number;
  readonly der: Buffer;
}

function* sections(lines: readonly string[]): Generator<Section> {
  let open: { readonly label: string; readonly line: number; readonly body: string[] } | undefined;
  for (const [index, raw] of lines.entries()) {
    const line = raw.replace(/^\uFEFF/, '').trimEnd();
    const begin = BEGIN.exec(line)?.[1];
    const end = END.exec(line)?.[1];
    if (open === undefined) {
      if (end !== undefined) throw new PemError(`line ${index + 1}: END ${end} without its BEGIN`);
      if (begin !== undefined) open = { label: begin, line: index + 1, body: [] };
      else if (line.startsWith('-----BEGIN '))
        throw new PemError(`line ${index + 1}: a BEGIN without its final dashes`);
    } else if (begin !== undefined) {
      throw new PemError(`line ${index + 1}: BEGIN ${begin} inside the ${open.label} of line ${open.line}`);
    } else if (end === undefined) {
      open.body.push(line);
    } else {
      if (end !== open.label) throw new PemError(`line ${index + 1}: END ${end} does not match BEGIN ${open.label}`);
      yield { label: open.label, line: open.line, der: decode(open) };
      open = undefined;
    }
  }
  if (open !== undefined) throw new PemError(`line ${open.line}: BEGIN ${open.label} without its END`);
}

function decode(section: { readonly label: string; readonly line: number; readonly body: readonly string[] }): Buffer {
  const base64 = section.body
    .filter((line) => !HEADER.test(line))
    .join('')
    .replace(/\s/g, '');
  if (!BASE64.test(base64) || base64.length % 4 !== 0) {
    throw new PemError(`line ${section.line}: the ${section.label} is not valid base64`);
  }
  return Buffer.from(base64, 'base64');
}

function withoutTrailer({ der, line }: Section): Buffer {
  const length = firstObjectLength(der);
  if (length === undefined) throw new PemError(`line ${line}: the TRUSTED CERTIFICATE has an invalid DER length`);
  return der.subarray(0, length);
}
