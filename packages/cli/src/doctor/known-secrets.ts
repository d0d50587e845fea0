import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KnownSecrets } from '@quire/agent';
import { isJsonObject, parseJsonObject } from '@quire/protocol';
import { loadConfigTools } from '@quire/store';
import type { Scene } from './scene.ts';
import { soon } from './soon.ts';

/** Files of the home folder that hold nothing but credentials and what belongs to them. */
const CREDENTIAL_FILES = ['auth.json', '.credentials.json'];
const PROXY_VARIABLES = /^(?:https?|all)_proxy$/i;
/** They become headers of the built-in provider. */
const ACCOUNT_VARIABLES = ['OPENAI_ORGANIZATION', 'OPENAI_PROJECT'];
/** Shorter texts are words. */
const SHORTEST = 8;

/**
 * Every value that must not be shown: of the environment, the stored logins and the configuration. What could not be read
 * in the time of the checks is left out: nobody can show it.
 */
export async function secretsOf(scene: Scene): Promise<readonly string[]> {
  const { environment, home, signal } = scene;
  const [reading, fromConfig, login, ...fromFiles] = await Promise.all([
    soon(scene.config(), signal),
    soon(configTexts(scene), signal),
    soon(
      scene.credentials().then(
        (credentials) => credentials.login,
        () => undefined,
      ),
      signal,
    ),
    ...(home.kind === 'home' ? CREDENTIAL_FILES.map((name) => soon(textsOfFile(join(home.path, name)), signal)) : []),
  ]);
  const config = reading?.config;
  const logins = login === undefined ? [] : Object.values(login).filter((value) => typeof value === 'string');
  const variables = [
    ...ACCOUNT_VARIABLES,
    config?.provider.envKey,
    ...Object.values(config?.provider.envHttpHeaders ?? {}),
  ];
  const servers = (config?.mcpServers ?? []).flatMap(({ transport }): readonly (string | undefined)[] =>
    transport.kind === 'stdio'
      ? transport.envVars
      : [transport.bearerTokenEnvVar, ...Object.values<string>(transport.envHttpHeaders ?? {})],
  );
  const named = [...variables, ...servers].map((name) => (name === undefined ? undefined : environment[name]));
  const texts = [
    ...new KnownSecrets(environment).list(),
    ...named,
    ...proxyTexts(environment),
    ...logins,
    ...(fromConfig ?? []),
  ];
  const secrets = [...texts, ...fromFiles.flat()].flatMap((text) => (text === undefined ? [] : [text, text.trim()]));
  return [...new Set(secrets)].filter((text) => text.length >= SHORTEST && !KINDS.has(text));
}

/** What stands beside the tokens of a login, and is no secret. */
const KINDS: ReadonlySet<string> = new Set(['chatgpt-host', 'chatgptAuthTokens']);

async function configTexts(scene: Scene): Promise<readonly string[]> {
  const options = scene.configOptions();
  if (options === undefined) return [];
  const { configSecrets } = await loadConfigTools();
  // A file that can not be understood is not shown either.
  return await configSecrets(options).catch(() => []);
}

/** Of a torn file whatever looks like a value. */
async function textsOfFile(file: string): Promise<readonly string[]> {
  const isFile = await stat(file).then(
    (stats) => stats.isFile(),
    () => false,
  );
  const text = isFile ? await readFile(file, 'utf8').catch(() => '') : '';
  const content = parseJsonObject(text);
  return content === undefined ? [...text.matchAll(/[^\s"{}:,[\]]{12,}/g)].map(([part]) => part) : textsIn(content);
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isJsonObject(value) ? Object.values(value).flatMap(textsIn) : [];
}

function proxyTexts(environment: NodeJS.ProcessEnv): readonly string[] {
  return Object.entries(environment).flatMap(([name, value = '']) => {
    if (!PROXY_VARIABLES.test(name)) return [];
    const user = /^(?:[a-z0-9+.-]+:\/\/)?(.*)@/is.exec(value)?.[1] ?? '';
    return user === '' ? [] : [user, ...user.split(':')];
  });
}
