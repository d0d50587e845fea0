import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, type JsonObject } from '@quire/protocol';
import { catalogEntry, type IssuedTokens, respond, Simulator, type SimulatorOptions, text } from '@quire/simulator';
import { type Ended, parseEvents, runCommand } from '../../support/command-run.ts';
import type { InstalledCommand } from '../../support/installed-command.ts';
import { requireNoIssuedSecret, requireNoIssuedSecretBelow } from '../../support/issued-secrets.ts';
import { createWorkspace, type Workspace } from '../../support/workspace.ts';

export const DAY_MS = 24 * 3600_000;

/**
 * A home folder with a login, and a service that guards its models: only a good access token gets an answer. A token in
 * an output, or at the end in another file than that of the login, is an error.
 */
export interface LoginScene extends AsyncDisposable {
  readonly sim: Simulator;
  readonly workspace: Workspace;
  /** Writes `auth.json`. */
  write(document: JsonObject): Promise<void>;
  /** What `auth.json` holds. */
  stored(): Promise<JsonObject>;
  /** One turn of `quire exec --json`. */
  exec(options?: ExecOptions): Promise<Turn>;
  /** The `authorization` of each request for an answer, in order. */
  authorizations(): readonly (string | undefined)[];
}

export interface ExecOptions {
  readonly argv?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Turn extends Ended {
  readonly events: readonly JsonObject[];
  /** Of the events that tell of an error, in order. */
  readonly errors: readonly string[];
}

export async function createLoginScene(
  command: InstalledCommand,
  options: SimulatorOptions & { readonly config?: string } = {},
): Promise<LoginScene> {
  const { config = '', ...simulator } = options;
  const workspace = await createWorkspace();
  const sim = await Simulator.start({
    steps: [respond(text('Done.'))],
    models: [catalogEntry('gpt-5.2-codex')],
    ...simulator,
    oauth: { guardsModels: true, ...simulator.oauth },
  });
  const file = join(workspace.home, 'auth.json');
  await writeFile(join(workspace.home, 'config.toml'), `openai_base_url = "${sim.url}"\n${config}`);
  return {
    sim,
    workspace,
    write: (document) => writeFile(file, JSON.stringify(document), { mode: 0o600 }),
    stored: async () => objectIn(await readFile(file, 'utf8')),
    exec: async ({ argv = [], environment = {} } = {}) => {
      const ended = await runCommand({
        command,
        workspace,
        argv: ['--json', '--skip-git-repo-check', ...argv, 'Say done.'],
        environment: { CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${sim.issuer}/oauth/token`, ...environment },
      });
      requireNoIssuedSecret('the output', `${ended.stdout}\n${ended.stderr}`);
      const events = parseEvents(ended.stdout);
      return { ...ended, events, errors: events.flatMap(errorIn) };
    },
    authorizations: () => sim.requests.map(({ headers }) => headers['authorization']?.toString()),
    async [Symbol.asyncDispose]() {
      await sim.close();
      try {
        await requireNoIssuedSecretBelow(workspace.root);
      } finally {
        await workspace[Symbol.asyncDispose]();
      }
    },
  };
}

/** What a client has stored of a login. */
export function loginFile(
  tokens: IssuedTokens,
  options: { readonly accountId?: string; readonly lastRefreshMs?: number } = {},
): JsonObject {
  const { accountId = 'account-1', lastRefreshMs = Date.now() } = options;
  return {
    auth_mode: 'chatgpt',
    OPENAI_API_KEY: null,
    tokens: {
      id_token: tokens.idToken,
      access_token: tokens.accessToken,
      refresh_token: tokens.refreshToken,
      account_id: accountId,
    },
    last_refresh: new Date(lastRefreshMs).toISOString(),
  };
}

/** The tokens of a stored login. */
export function tokensIn(document: JsonObject): Readonly<Record<string, unknown>> {
  const { tokens } = document;
  return isJsonObject(tokens) ? tokens : {};
}

function objectIn(content: string): JsonObject {
  const value: unknown = JSON.parse(content);
  if (!isJsonObject(value)) throw new Error('auth.json holds no object');
  return value;
}

function errorIn({ type, message, error }: JsonObject): readonly string[] {
  if (type === 'error') return [String(message)];
  return type === 'turn.failed' && isJsonObject(error) ? [String(error['message'])] : [];
}
