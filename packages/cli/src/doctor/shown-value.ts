/** Free texts that are names of public things. */
const SHOWN_TEXTS: ReadonlySet<string> = new Set([
  'model',
  'model_provider',
  'oss_provider',
  'review_model',
  'model_reasoning_effort',
  'plan_mode_reasoning_effort',
  'service_tier',
]);
const SHOWN_PROVIDER_TEXTS: ReadonlySet<string> = new Set(['name', 'env_key', 'wire_api', 'trust_level']);

/**
 * What a bundle tells of a value: switches, numbers and words of a fixed list as they are, the origin of an address, and
 * of everything else only what kind of thing it is. A secret may stand anywhere that takes free text.
 *
 * @param words that the documentation lists for this key
 */
export function shownValue(path: readonly string[], value: unknown, words: ReadonlySet<string>): unknown {
  if (typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value !== 'string') return 'a value';
  if (words.has(value)) return value;
  const [name = ''] = path.slice(-1);
  const isShown = path.length === 1 ? SHOWN_TEXTS.has(name) : SHOWN_PROVIDER_TEXTS.has(name);
  if (isShown) return value;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(value) && URL.canParse(value)) {
    const { protocol, host } = new URL(value);
    return `${protocol}//${host}/…`;
  }
  return `a text of ${value.length} characters`;
}
