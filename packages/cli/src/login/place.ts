import { type ClientIdentity, LoginKeeper, type LoginRestrictions, type Logins, loadLogins } from '@quire/auth';
import { describeHost } from '@quire/host';
import { createDialer, type Dialer } from '@quire/network';
import { type Config, loadConfig, resolveHome } from '@quire/store';
import { VERSION } from '../version.ts';
import { workingDirectoryOr } from '../working-directory.ts';
import type { ConfigChoices } from './arguments.ts';

/** Where a login is kept, what is allowed, and what is needed to change it. */
export interface LoginPlace extends AsyncDisposable {
  readonly home: string;
  readonly config: Config;
  readonly environment: NodeJS.ProcessEnv;
  readonly keeper: LoginKeeper;
  readonly logins: Logins;
  readonly restrictions: LoginRestrictions;
  readonly dialer: Dialer;
  readonly client: ClientIdentity;
  readonly signal: AbortSignal;
}

const ORIGINATOR = 'codex_cli_rs';

/** Reads the configuration. Rejects with ConfigError. */
export async function openPlace(
  choices: ConfigChoices,
  options: { readonly homeDirectory: string; readonly signal: AbortSignal },
): Promise<LoginPlace> {
  const environment = process.env;
  const home = resolveHome({ environment, homeDirectory: options.homeDirectory });
  // A project can not change what holds for logins.
  const config = await loadConfig({ home, cwd: workingDirectoryOr(home), environment, ...choices });
  const restrictions = { method: config.forcedLoginMethod, workspaces: config.forcedWorkspaceIds };
  const client = clientIdentity(environment);
  const dialer = createDialer({ environment });
  const keeper = new LoginKeeper({ home, environment, client, storeKind: config.credentialsStore });
  return {
    home,
    config,
    environment,
    keeper,
    logins: loadLogins(),
    restrictions,
    dialer,
    client,
    signal: options.signal,
    [Symbol.asyncDispose]: async () => dialer.close(),
  };
}

export function clientIdentity(environment: NodeJS.ProcessEnv): ClientIdentity {
  const override = environment['CODEX_INTERNAL_ORIGINATOR_OVERRIDE'];
  const originator = override === undefined || override === '' ? ORIGINATOR : override;
  const { osName, osVersion, arch, terminal } = describeHost(environment);
  const userAgent = `${originator}/${VERSION} (${osName} ${osVersion}; ${arch}) ${terminal}`;
  return { originator, userAgent: userAgent.replace(/[^\x20-\x7e]/g, '_') };
}
