import { createCertificateAuthority, type ServerCertificate } from '@quire/simulator';

/** PEM of an authority and what it signed. Made once for a test file: openssl takes a while. */
export interface Certificates extends AsyncDisposable {
  /** File of the authority that signed both certificates. */
  readonly file: string;
  /** File of another authority. */
  readonly otherFile: string;
  /** For 127.0.0.1 and localhost. */
  readonly valid: ServerCertificate;
  readonly expired: ServerCertificate;
}

export async function createCertificates(): Promise<Certificates> {
  const [authority, other] = await Promise.all([createCertificateAuthority(), createCertificateAuthority()]);
  const [valid, expired] = [await authority.issue(), await authority.issue({ expired: true })];
  return {
    file: authority.file,
    otherFile: other.file,
    valid,
    expired,
    async [Symbol.asyncDispose]() {
      await authority[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
    },
  };
}
