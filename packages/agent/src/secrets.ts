import { existsSync } from 'node:fs';
import type { McpServerConfig } from '@quire/core';
import type { ModelProvider } from '@quire/protocol';
import type { Config } from '@quire/store';
import type { Environment } from './environment.ts';

/**
 * Names of variables that hold something nobody should find in a file: by their last word, or by an end that no other word
 * has. `PWD` alone is a folder, and `ASKPASS` a program.
 */
const SECRET_NAME =
  /(?:(?:^|_)(?:KEYS?|PASS|PAT|AUTH|CREDS?|COOKIE)|._PWD|^SSHPASS|(?:API|ACCESS|SECRET|PRIVATE)KEYS?|TOKENS?|SECRETS?|PASSWORDS?|PASSWD|PASSPHRASE|CREDENTIALS?)\d*$/i;
/** Names of variables that say where something is. */
const PLACE_NAME = /(?:^|_)(?:FILE|PATH|DIR)$/i;
/** Of a way to authenticate, not of what is used for it. */
const WORD = /^[a-z]+$/i;
const WAY_NAME = /(?:^|_)AUTH$/i;
/** Shorter values are words, and would be found everywhere; what authorises requests is looked for all the same. */
const SHORTEST_SECRET = 12;
const SHORTEST_TOKEN = 8;
/** Headers whose values say nothing that is not known. */
const PLAIN_HEADER = /^(?:accept(?:-.*)?|content-type|user-agent|version|originator)$/i;
/** Parameters of addresses and variables of servers that say who asks. */
const CREDENTIAL_NAME = /key|token|secret|passw|credential|sig|auth|cookie/i;
/** Of tokens that were replaced by newer ones; the oldest of more are dead long since. */
const MAX_TOKENS = 64;

/**
 * The values that one program must not write down: what its environment keeps under such names, what the configuration
 * of a thread says, and the tokens that it works with, from the moment it has them.
 */
export class KnownSecrets {
  readonly #lasting = new Set<string>();
  /** The newest last. */
  readonly #tokens = new Set<string>();
  #list: readonly string[];

  constructor(environment: Environment) {
    for (const value of secretVariables(environment)) addSecret(this.#lasting, value);
    this.#list = [...this.#lasting];
  }

  /** All that are known now; the same list until another one is. */
  readonly list = (): readonly string[] => this.#list;

  /** Credentials of a run: any of them may be replaced while it goes on. Never throws. */
  readonly noteTokens = (values: readonly string[]): void => {
    for (const value of values) addSecret(this.#tokens, value, SHORTEST_TOKEN);
    const surplus = this.#tokens.size - MAX_TOKENS;
    if (surplus > 0) for (const oldest of [...this.#tokens].slice(0, surplus)) this.#tokens.delete(oldest);
    this.#renew();
  };

  /** What the configuration holds itself, and the variables that it names. */
  noteConfig(config: SecretSettings, environment: Environment): void {
    const { provider, otherProviders, mcpServers, telemetry, shellEnvironmentPolicy } = config;
    const values = [
      ...secretVariables(shellEnvironmentPolicy.set),
      ...[provider, ...otherProviders].flatMap((one) => secretsOfProvider(one, environment)),
      ...mcpServers.flatMap((server) => secretsOfServer(server, environment)),
      ...[telemetry.logs, telemetry.traces, telemetry.metrics].flatMap((exporter) =>
        exporter.kind === 'none' ? [] : headerValues(exporter.headers),
      ),
    ];
    for (const value of values) addSecret(this.#lasting, value);
    this.#renew();
  }

  #renew(): void {
    const all = new Set([...this.#lasting, ...this.#tokens]);
    if (all.size !== this.#list.length || this.#list.some((value) => !all.has(value))) this.#list = [...all];
  }
}

type SecretSettings = Pick<
  Config,
  'provider' | 'otherProviders' | 'mcpServers' | 'telemetry' | 'shellEnvironmentPolicy'
>;
type Values = readonly string[];
type Headers = Readonly<Record<string, string>>;

/** The values of an environment that its names call secret. */
function secretVariables(environment: Environment): Values {
  return Object.entries(environment).flatMap(([name, value]) => {
    if (value === undefined || !SECRET_NAME.test(name) || /\s/.test(value.trim())) return [];
    const isWay = WAY_NAME.test(name) && WORD.test(value.trim());
    return isWay || isPlace(name, value.trim()) ? [] : [value];
  });
}

function secretsOfProvider(provider: ModelProvider, environment: Environment): Values {
  const { envKey, bearerToken, httpHeaders, envHttpHeaders, queryParams } = provider;
  return [
    ...present(bearerToken),
    ...(envKey === undefined ? [] : present(environment[envKey])),
    ...headerValues(httpHeaders),
    ...Object.entries(queryParams).flatMap(([name, value]) => (CREDENTIAL_NAME.test(name) ? [value] : [])),
    ...variables(Object.values(envHttpHeaders), environment),
  ];
}

function secretsOfServer({ transport }: McpServerConfig, environment: Environment): Values {
  if (transport.kind === 'stdio') {
    return Object.entries(transport.env ?? {}).flatMap(([name, value]) =>
      CREDENTIAL_NAME.test(name) && !isPlace(name, value.trim()) ? [value] : [],
    );
  }
  const { bearerTokenEnvVar, httpHeaders, envHttpHeaders } = transport;
  return [
    ...headerValues(httpHeaders ?? {}),
    ...variables([...Object.values(envHttpHeaders ?? {}), ...present(bearerTokenEnvVar)], environment),
  ];
}

function headerValues(headers: Headers): Values {
  return Object.entries(headers).flatMap(([name, value]) =>
    PLAIN_HEADER.test(name) || isPlace(name, value) ? [] : [value],
  );
}

function variables(names: Values, environment: Environment): Values {
  return names.flatMap((name) => {
    const value = environment[name];
    return value === undefined || isPlace(name, value.trim()) ? [] : [value];
  });
}

/** Whether a variable or header says where something is, which stands in many texts. */
function isPlace(name: string, value: string): boolean {
  return /^(?:\/|[A-Za-z]:\\)/.test(value) && (PLACE_NAME.test(name) || existsSync(value));
}

function present(value: string | undefined): Values {
  return value === undefined ? [] : [value];
}

/** Of several words, such as a scheme and a token, each that is long enough. */
function addSecret(secrets: Set<string>, value: string, shortest = SHORTEST_SECRET): void {
  for (const text of value.split(/\s+/)) {
    if (text.length < shortest) continue;
    secrets.delete(text);
    secrets.add(text);
  }
}
