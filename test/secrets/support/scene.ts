import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeJwt } from '@quire/simulator';
import { CommandRun, type Ended } from '../../support/command-run.ts';
import type { InstalledCommand } from '../../support/installed-command.ts';
import { createWorkspace, type Workspace } from '../../support/workspace.ts';
import { findInFiles, Sentinels } from './sentinels.ts';

export type At = (place: string) => string;

/** A home with a sentinel in every place, and what was printed by every run in it. */
export class Scene implements AsyncDisposable {
  readonly sentinels = new Sentinels();
  readonly workspace: Workspace;
  /** `run: place` for every sentinel that was printed. */
  readonly printed: string[] = [];
  readonly #more: string;

  readonly #command: InstalledCommand;

  constructor(command: InstalledCommand, workspace: Workspace, more: (at: At) => string) {
    this.#command = command;
    this.workspace = workspace;
    this.#more = more((place) => this.sentinels.at(place));
  }

  static async open(command: InstalledCommand, more: (at: At) => string = () => ''): Promise<Scene> {
    const scene = new Scene(command, await createWorkspace(), more);
    await writeFile(join(scene.workspace.project, 'server.mjs'), FAILING_SERVER);
    await scene.configure('');
    return scene;
  }

  /** The sentinel of a place. */
  readonly at: At = (place) => this.sentinels.at(place);

  get home(): string {
    return this.workspace.home;
  }

  /** Writes `config.toml`, with `first` before everything else. */
  async configure(first: string): Promise<void> {
    await writeFile(join(this.home, 'config.toml'), `${first}\n${this.#more}`);
  }

  async logIn(document: object): Promise<void> {
    await writeFile(join(this.home, 'auth.json'), JSON.stringify(document), { mode: 0o600 });
  }

  async run(
    name: string,
    argv: readonly string[],
    options: { readonly env?: Readonly<Record<string, string>>; readonly stdin?: string } = {},
  ): Promise<Ended> {
    const { env = {}, stdin } = options;
    await using run = new CommandRun({
      command: this.#command,
      workspace: this.workspace,
      name,
      argv,
      stdin: stdin === undefined ? 'ignore' : 'pipe',
      environment: { ...this.variables, ...env },
    });
    if (stdin !== undefined) run.child.stdin?.end(stdin);
    const ended = await run.ended;
    const what = `${name} ${argv.join(' ')}`.slice(0, 160);
    this.look(`stdout of ${what}`, ended.stdout);
    this.look(`stderr of ${what}`, ended.stderr);
    return ended;
  }

  /** Notes the sentinels in something that leaves the program. */
  look(what: string, content: string | Buffer): void {
    for (const place of this.sentinels.in(Buffer.from(content))) this.printed.push(`${what}: ${place}`);
  }

  /** What the configuration names. */
  get variables(): Readonly<Record<string, string>> {
    return {
      MINE_KEY: this.at('env-key'),
      MINE_HEADER: this.at('env-header'),
      MCP_BEARER_TOKEN: this.at('mcp-bearer'),
      MCP_HEADER_SECRET: this.at('mcp-env-header'),
    };
  }

  /** The same turn for people and for programs. */
  async exec(argv: readonly string[], options?: Parameters<Scene['run']>[2]): Promise<readonly Ended[]> {
    const common = ['--skip-git-repo-check', '-s', 'danger-full-access', ...argv, 'Do it.'];
    return [await this.run('exec', common, options), await this.run('exec', ['--json', ...common], options)];
  }

  /** Where sentinels are that should be nowhere. */
  async leaks(): Promise<readonly string[]> {
    const except = ['home/auth.json', 'home/config.toml'];
    return [...this.printed, ...(await findInFiles(this.sentinels, this.workspace.root, { except }))];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.workspace[Symbol.asyncDispose]();
  }
}

/** An MCP server that tells all it knows and ends. */
const FAILING_SERVER =
  'process.stderr.write(JSON.stringify(process.env)); process.stdout.write("no JSON\\n"); process.exit(1);\n';

/** Providers with a secret in every place that holds one. */
export function provider(at: At, url: string): string {
  return `model_provider = "mine"
[model_providers.mine]
name = "Mine"
base_url = "${url}"
env_key = "MINE_KEY"
query_params = { "subscription-key" = "${at('query')}" }
http_headers = { "x-gate-key" = "${at('header')}" }
env_http_headers = { "x-second-gate" = "MINE_HEADER" }
request_max_retries = 0
stream_max_retries = 1
[model_providers.login]
name = "Login"
base_url = "${url}"
requires_openai_auth = true
request_max_retries = 0
stream_max_retries = 1
[model_providers.bearer]
name = "Bearer"
base_url = "${url}"
experimental_bearer_token = "${at('bearer')}"
request_max_retries = 0
stream_max_retries = 0
`;
}

/** Servers of tools, and telemetry, with theirs. */
export const servers = (at: At, url: string): string => `
[mcp_servers.local]
command = "node"
args = ["server.mjs"]
env = { LOCAL_TOKEN = "${at('mcp-env')}" }
[mcp_servers.remote]
url = "${url}/mcp"
bearer_token_env_var = "MCP_BEARER_TOKEN"
http_headers = { "x-gate-key" = "${at('mcp-header')}" }
env_http_headers = { "x-second-gate" = "MCP_HEADER_SECRET" }
[otel]
exporter = { otlp-http = { endpoint = "http://127.0.0.1:1/v1/logs", protocol = "json", headers = { "x-otel-token" = "${at('otel')}" } } }
`;

/** A stored login. */
export const chatgptFile = (at: At, lastRefresh = new Date()): object => ({
  auth_mode: 'chatgpt',
  OPENAI_API_KEY: at('exchanged-key'),
  tokens: {
    id_token: `${encodeJwt({ email: 'person@example.test' }).split('.').slice(0, 2).join('.')}.${at('id-token')}`,
    access_token: at('access-token'),
    refresh_token: at('refresh-token'),
    account_id: 'account-1',
  },
  last_refresh: lastRefresh.toISOString(),
});
