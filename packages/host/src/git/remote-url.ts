const WITH_SCHEME = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(.*)$/is;

/**
 * The URL without what could be a secret. The user name stays only in `ssh:` URLs, where it is part of the
 * address; in others it may be a token by itself. `user@host:path` and local paths are returned as they are.
 */
export function withoutCredentials(url: string): string {
  const parts = WITH_SCHEME.exec(url);
  if (parts === null) return url;
  const [, scheme = '', authority = '', path = ''] = parts;
  const at = authority.lastIndexOf('@');
  const user = authority.slice(0, Math.max(at, 0)).split(':')[0] ?? '';
  const keepsUser = /^(?:git\+)?ssh(?:\+git)?$/i.test(scheme) && user !== '';
  return `${scheme}://${keepsUser ? `${user}@` : ''}${authority.slice(at + 1)}${path}`;
}
