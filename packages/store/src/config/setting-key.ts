import { ConfigError } from './config-error.ts';
import { CONFIG_KEYS, type ConfigKey } from './config-keys.ts';
import { isTable } from './layers.ts';
import { parseOverrideValue } from './overrides.ts';
import { parseTomlDocument } from './toml.ts';

/**
 * The names in a dotted key as TOML writes it, so that `projects."/a.b".trust_level` has three. What TOML does not
 * take is split at every dot.
 * @throws ConfigError 'invalid-value' for a key without a name in it, or with an empty one
 */
export async function parseKeyPath(key: string): Promise<readonly string[]> {
  const path = (await readTomlKey(key)) ?? key.split('.').map((name) => name.trim());
  if (path.every((name) => name !== '')) return path;
  throw new ConfigError('invalid-value', `${JSON.stringify(key.slice(0, 60))} is no key; write for example model`, {
    key,
  });
}

async function readTomlKey(key: string): Promise<readonly string[] | undefined> {
  if (/[\n=#]/.test(key)) return undefined;
  const path: string[] = [];
  try {
    let value: unknown = await parseTomlDocument(`${key} = 0`, /* source */ '');
    while (isTable(value)) {
      const [name] = Object.keys(value);
      if (name === undefined) return undefined;
      path.push(name);
      value = value[name];
    }
  } catch {
    return undefined; // no TOML key
  }
  return path;
}

/** The value that a text of the command line means: what is a string by its key is one without quotes too. */
export async function parseSettingText(key: string, path: readonly string[], text: string): Promise<unknown> {
  const type = findConfigKey(path)?.type;
  const isText = type === 'string' || type === 'path' || type === 'URL';
  if (isText && !/^["']/.test(text)) return text;
  return parseOverrideValue(key, text.trim(), { isArgument: false });
}

function findConfigKey(path: readonly string[]): ConfigKey | undefined {
  return CONFIG_KEYS.find(({ key }) => {
    const known = key.split('.');
    return known.length === path.length && known.every((name, index) => name.startsWith('<') || name === path[index]);
  });
}
