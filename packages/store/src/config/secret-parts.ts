/** What stands for a secret. */
export const HIDDEN = '*****';

/** Settings that name where a secret is, or count something, in spite of their names. */
const HARMLESS_NAME =
  /(?:_env_var|_env_vars|_limit|_store|_url|_max_tokens)$|^(?:env_key|env_http_headers|max_tokens)$/;
const SECRET_NAME = /(?:token|secret|password|passwd|api_?key|authorization|credential)/i;

/** Scheme, what stands before the host, host and path, and what stands behind the first question mark or hash. */
const ADDRESS = /([a-z][a-z\d+.-]*:\/\/)(?:([^\s/?#]*)@)?([^\s?#]*)([?#]\S*)?/gi;
/** `--NAME=VALUE`, `NAME=VALUE` and `NAME: VALUE`. */
const NAMED_WORD = /^(-{0,2}([a-z_][\w.-]*)(?:=|:\s*))(.+)$/is;
/** An option whose value may be the next word. */
const OPTION = /^--?([a-z_][\w.-]*)$/i;

/** Gets a secret as it stands in its text, and gives what is to stand there. */
export type ReplaceSecret = (secret: string) => string;

export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !HARMLESS_NAME.test(name);
}

/** Of every address in the text what stands before the host, and the values behind the question mark. */
export function replaceInAddresses(text: string, replace: ReplaceSecret): string {
  if (!text.includes('://')) return text;
  return text.replace(ADDRESS, (_, scheme: string, user: string | undefined, place: string, query = '') => {
    const shownUser = user === undefined ? '' : `${user.replace(/[^:]+/g, replace)}@`;
    return `${scheme}${shownUser}${place}${String(query).replace(/(?<==)[^&#]+/g, replace)}`;
  });
}

/** The same for the words of a command line, where names of options tell as well. */
export function replaceInWords(words: readonly string[], replace: ReplaceSecret): readonly string[] {
  return words.map((word, index) =>
    isSecretOption(words[index - 1]) && !word.startsWith('--') ? replace(word) : replaceInWord(word, replace),
  );
}

function replaceInWord(word: string, replace: ReplaceSecret): string {
  const [, start = '', name = '', value = ''] = NAMED_WORD.exec(word) ?? [];
  if (name === '' || value.startsWith('//')) return replaceInAddresses(word, replace);
  return start + (isSecretOptionName(name) ? replace(value) : replaceInWord(value, replace));
}

function isSecretOption(word: string | undefined): boolean {
  const [, name] = OPTION.exec(word ?? '') ?? [];
  return name !== undefined && isSecretOptionName(name);
}

function isSecretOptionName(name: string): boolean {
  return isSecretName(name.replace(/[.-]/g, '_'));
}
