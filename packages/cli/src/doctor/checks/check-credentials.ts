import { join } from 'node:path';
import {
  AuthError,
  accessEndsAtMs,
  accountOf,
  authFileWarning,
  type ChatgptLogin,
  forbiddenReason,
  type Login,
} from '@quire/auth';
import type { Config } from '@quire/store';
import { durationText, localTimeText } from '../../status/times.ts';
import { type CheckResult, type Finding, resultOf, skipped } from '../check.ts';
import type { CredentialsReading, Scene } from '../scene.ts';

const CHECK = 'credentials';

/** What kind there are, where they are kept and how long they hold. Never what they are. */
export async function checkCredentials(scene: Scene): Promise<CheckResult> {
  const { config } = await scene.config();
  if (config === undefined || scene.home.kind === 'unusable')
    return skipped(CHECK, 'the configuration can not be used');
  const reading = await scene.credentials();
  const home = scene.home.path;
  const findings = [
    ...missing(reading, config, scene.environment),
    ...forbidden(reading, config),
    ...expiry(reading.login, config),
    ...(await exposed(home, config)),
  ];
  return resultOf(CHECK, {
    summary: summaryOf(reading, config, scene.environment),
    details: [...storeLines(home, config), ...loginLines(reading.login), ...unusedLines(config, scene.environment)],
    findings,
  });
}

function summaryOf(reading: CredentialsReading, config: Config, environment: NodeJS.ProcessEnv): string {
  const { provider } = config;
  const { login, error } = reading;
  if (config.providerTokenCommand !== undefined) return 'a program prints the token; it is not run here';
  if (error !== undefined) return `requests to ${provider.id} can not be authorised`;
  if (provider.envKey !== undefined) return `a key from the variable ${provider.envKey}`;
  if (provider.bearerToken !== undefined) return 'a token that stands in the configuration';
  if (!provider.requiresOpenaiAuth) return `the provider ${provider.id} is used without credentials`;
  if (isSet(environment, 'CODEX_API_KEY')) return 'a key from the variable CODEX_API_KEY';
  if (login?.kind === 'api-key') return 'a stored API key';
  const plan = login === undefined ? undefined : accountOf(login)?.rawPlan;
  return `a ChatGPT login${plan === undefined ? '' : `, plan ${plan}`}`;
}

function missing({ error }: CredentialsReading, config: Config, environment: NodeJS.ProcessEnv): readonly Finding[] {
  if (error === undefined) return [];
  const text = error instanceof Error ? error.message : String(error);
  const hasOtherKey = isSet(environment, 'OPENAI_API_KEY') && config.provider.requiresOpenaiAuth;
  const remedy =
    hasOtherKey && error instanceof AuthError && error.code === 'no-credentials'
      ? 'OPENAI_API_KEY is set, but does not count: printenv OPENAI_API_KEY | quire login --with-api-key'
      : 'log in with quire login, or set the variable; see docs/login.md';
  return [{ verdict: 'failed', text, remedy }];
}

function forbidden({ login }: CredentialsReading, config: Config): readonly Finding[] {
  const restrictions = { method: config.forcedLoginMethod, workspaces: config.forcedWorkspaceIds };
  const reason = login === undefined ? undefined : forbiddenReason(login, restrictions);
  return reason === undefined
    ? []
    : [{ verdict: 'failed', text: reason, remedy: 'log in with one that is, by quire login' }];
}

function expiry(login: Login | undefined, { provider }: Config): readonly Finding[] {
  if (login?.kind !== 'chatgpt' || !provider.requiresOpenaiAuth || !isOver(login) || login.refreshToken !== '')
    return [];
  const text = 'the login has expired, and can not be renewed: it has no refresh token';
  return [{ verdict: 'failed', text, remedy: 'log in again with quire login' }];
}

async function exposed(home: string, { credentialsStore }: Config): Promise<readonly Finding[]> {
  if (credentialsStore !== 'file' && credentialsStore !== 'auto') return [];
  const text = await authFileWarning(home);
  return text === undefined ? [] : [{ verdict: 'warning', text, remedy: `chmod 600 ${join(home, 'auth.json')}` }];
}

function storeLines(home: string, { credentialsStore }: Config): readonly string[] {
  const places = {
    file: join(home, 'auth.json'),
    keyring: "the system's keyring",
    auto: `the system's keyring, else ${join(home, 'auth.json')}`,
    ephemeral: 'nowhere; a login lasts as long as the process',
  } as const;
  return [`logins are kept in: ${places[credentialsStore]}`];
}

function loginLines(login: Login | undefined): readonly string[] {
  if (login?.kind !== 'chatgpt') return [];
  const endsAtMs = accessEndsAtMs(login);
  const renewal = login.refreshToken === '' ? 'and can not be renewed' : 'and is renewed when it is needed';
  const nowMs = Date.now();
  if (endsAtMs === undefined) return [`the access token does not tell when it ends ${renewal}`];
  return [
    isOver(login)
      ? `the access token ended at ${localTimeText(endsAtMs)} ${renewal}`
      : `the access token ends in ${durationText(endsAtMs - nowMs)}, at ${localTimeText(endsAtMs)} ${renewal}`,
    `last renewed at ${localTimeText(login.lastRefreshMs)}`,
  ];
}

function isOver(login: ChatgptLogin): boolean {
  const endsAtMs = accessEndsAtMs(login);
  return endsAtMs !== undefined && endsAtMs <= Date.now();
}

function unusedLines({ provider }: Config, environment: NodeJS.ProcessEnv): readonly string[] {
  if (provider.requiresOpenaiAuth || !isSet(environment, 'CODEX_API_KEY')) return [];
  return [`CODEX_API_KEY is set, but the provider ${provider.id} does not use it`];
}

function isSet(environment: NodeJS.ProcessEnv, name: string): boolean {
  return (environment[name] ?? '').trim() !== '';
}
