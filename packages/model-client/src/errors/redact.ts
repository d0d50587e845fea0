const SECRET_NAME = /key|token|secret|sig|password|auth|code|credential/i;
const HIDDEN = '[hidden]';

/** Whether a header or parameter of this name is likely to hold a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** A URL that may be shown: no user info, and no values of query parameters that look like secrets. */
export function printableUrl(url: URL): string {
  const copy = new URL(url);
  copy.username = '';
  copy.password = '';
  copy.hash = '';
  if (copy.search === '') return copy.href;
  const query = copy.search
    .slice(1)
    .split('&')
    .map((pair) => {
      const name = pair.split('=', 1)[0] ?? '';
      return pair.includes('=') && isSecretName(name) ? `${name}=${HIDDEN}` : pair;
    });
  return `${copy.href.slice(0, copy.href.length - copy.search.length)}?${query.join('&')}`;
}

/** `text` without any of `secrets`. Very short ones are left: replacing them would garble the text. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let result = text;
  for (const secret of secrets) if (secret.length >= 8) result = result.replaceAll(secret, HIDDEN);
  return result;
}
