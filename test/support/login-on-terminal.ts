/**
 * A program: people log in with `quire login` on a terminal of a machine without a browser. It is to run in a network of
 * its own, since the ports of the login are fixed. Arguments: the command, a folder to write to, the repository, names of
 * scenes. Prints what came of it as JSON.
 */
import { mkdtemp, readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ACCOUNTS, Simulator } from '@quire/simulator';

const [command = '', folder = '', repository = '', ...sceneNames] = process.argv.slice(2);

/** Not a part of the bundle: it finds its files by its own place. */
const TERMINALS = { module: '@lydell/node-pty', usedBy: 'packages/host/package.json' } as const;

/** The part of it that is used here. */
interface Terminals {
  spawn(
    file: string,
    argv: readonly string[],
    options: { cols: number; rows: number; cwd: string; env: Readonly<Record<string, string>> },
  ): TerminalProcess;
}
interface TerminalProcess {
  onData(listener: (text: string) => void): void;
  onExit(listener: () => void): void;
  write(text: string): void;
  kill(signal: string): void;
}

/**
 * Runs the command, then tells its code and whether the terminal is as it was. A shell that lives through Ctrl-C. It stays
 * until it is told that its words were read: the reader drops what it has not read when the last program is gone.
 */
const SHELL = `trap : INT; before=$(stty -g); "$@"; code=$?; [ "$(stty -g)" = "$before" ] && state=same || state=changed
stty sane -echo; printf '[code %s, terminal %s]\\n' "$code" "$state"; read -r told`;

const CTRL_C = '\x03';
const CTRL_D = '\x04';

/** A terminal with a login on it. */
class Terminal {
  readonly home: string;
  readonly #process: TerminalProcess;
  readonly #ended: Promise<void>;
  readonly #checks = new Set<() => void>();
  #text = '';

  private constructor(process: TerminalProcess, home: string) {
    this.#process = process;
    this.home = home;
    process.onData((text) => {
      this.#text += text.replaceAll('\r\n', '\n');
      for (const check of [...this.#checks]) check();
    });
    this.#ended = new Promise((resolve) => process.onExit(() => resolve()));
  }

  /** As over a remote shell: no display, no browser. */
  static async open(sim: Simulator, argv: readonly string[] = []): Promise<Terminal> {
    const home = await mkdtemp(join(folder, 'home-'));
    const require = createRequire(join(repository, TERMINALS.usedBy));
    const { spawn } = require(TERMINALS.module) as Terminals;
    const commandLine = [process.execPath, command, 'login', ...argv, '--experimental_issuer', sim.issuer];
    const child = spawn('/bin/sh', ['-c', SHELL, 'sh', ...commandLine], {
      cols: 80,
      rows: 24,
      cwd: home,
      env: {
        PATH: process.env['PATH'] ?? '',
        TERM: 'xterm-256color',
        HOME: home,
        CODEX_HOME: home,
        SSH_CONNECTION: '127.0.0.1 50000 127.0.0.1 22',
        CODEX_REVOKE_TOKEN_URL_OVERRIDE: `${sim.issuer}/oauth/revoke`,
      },
    });
    return new Terminal(child, home);
  }

  write(text: string): void {
    this.#process.write(text);
  }

  /** Resolves with the first group of a match on the screen. */
  async saw(pattern: RegExp): Promise<string> {
    let check = (): void => undefined;
    const seen = new Promise<string>((resolve) => {
      check = () => {
        const match = pattern.exec(this.#text);
        if (match !== null) resolve(match[1] ?? match[0]);
      };
      this.#checks.add(check);
      check();
    });
    const early = this.#ended.then(() => {
      const match = pattern.exec(this.#text);
      if (match !== null) return match[1] ?? match[0];
      throw new Error(`ended without ${String(pattern)}: ${this.#text}`);
    });
    const patience = AbortSignal.timeout(15_000);
    const late = new Promise<never>((_resolve, reject) => {
      patience.onabort = () => reject(new Error(`no ${String(pattern)} came: ${this.#text}`));
    });
    return await Promise.race([seen, early, late]).finally(() => this.#checks.delete(check));
  }

  /** Everything that was shown and typed, from the first line to the end of the command. */
  async screen(): Promise<string> {
    await this.saw(/\[code \d+, terminal \w+\]\n/);
    this.write('\r');
    await this.#ended;
    return this.#text.replaceAll(/http:\/\/[^\s/]+:\d+\/\S*/g, nameAddress);
  }

  async isLoggedIn(): Promise<boolean> {
    const text = await readFile(join(this.home, 'auth.json'), 'utf8').catch(() => '{}');
    return Object.hasOwn(JSON.parse(text) as object, 'tokens');
  }
}

/** What differs from run to run has no place in an expectation. */
function nameAddress(address: string): string {
  const { host, pathname, search } = new URL(address);
  return `<${host.startsWith('localhost') ? host : 'issuer'}${pathname}${search === '' ? '' : '?…'}>`;
}

/** Where a browser on another machine ends up, which can not reach the login. */
async function whereItEndsUp(authorizationUrl: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    get(authorizationUrl, { agent: false }, (response) => {
      response.resume().once('end', () => resolve(response.headers.location ?? ''));
    }).once('error', reject);
  });
}

const ADDRESS = /\n(http:\S+)\n/;

type Scene = (sim: Simulator) => Promise<unknown>;

const SCENES: Readonly<Record<string, Scene>> = {
  /** Something else is pasted first, then half of the address, then the address. */
  paste: async (sim) => {
    const terminal = await Terminal.open(sim);
    const end = await whereItEndsUp(await terminal.saw(ADDRESS));
    terminal.write('http://localhost:1455/auth/callback?code=stolen&state=wrong\r');
    await terminal.saw(/not where/);
    terminal.write(`${end.slice(0, 60)}\r`);
    await terminal.saw(/not where.*not where/s);
    terminal.write('\r');
    terminal.write(`  ${end}\r`);
    return { screen: await terminal.screen(), isLoggedIn: await terminal.isLoggedIn() };
  },
  /** The service refused, and that is what the address says. */
  'paste-refusal': async (sim) => {
    sim.oauth.setAccount({ refusal: { error: 'access_denied', description: 'the person said no' } });
    const terminal = await Terminal.open(sim);
    terminal.write(`${await whereItEndsUp(await terminal.saw(ADDRESS))}\r`);
    return { screen: await terminal.screen(), isLoggedIn: await terminal.isLoggedIn() };
  },
  'ctrl-c': async (sim) => {
    const terminal = await Terminal.open(sim);
    await terminal.saw(/--device-auth/);
    terminal.write(CTRL_C);
    return { screen: await terminal.screen(), isLoggedIn: await terminal.isLoggedIn() };
  },
  /** Nothing more can be typed, but the browser may still come. */
  'ctrl-d': async (sim) => {
    const terminal = await Terminal.open(sim);
    const address = await terminal.saw(ADDRESS);
    terminal.write(CTRL_D);
    await terminal.saw(/Nothing more/);
    await whereItEndsUp(await whereItEndsUp(address));
    return { screen: await terminal.screen(), isLoggedIn: await terminal.isLoggedIn() };
  },
  device: async (sim) => {
    const terminal = await Terminal.open(sim, ['--device-auth']);
    sim.oauth.approveDevice(await terminal.saw(/([0-9A-F]{4}-[0-9A-F]{4})/));
    const screen = (await terminal.screen()).replace(/[0-9A-F]{4}-[0-9A-F]{4}/, '<code>');
    return { screen, isLoggedIn: await terminal.isLoggedIn() };
  },
  'device-ctrl-c': async (sim) => {
    const terminal = await Terminal.open(sim, ['--device-auth']);
    await terminal.saw(/([0-9A-F]{4}-[0-9A-F]{4})/);
    terminal.write(CTRL_C);
    const screen = (await terminal.screen()).replace(/[0-9A-F]{4}-[0-9A-F]{4}/, '<code>');
    return { screen, isLoggedIn: await terminal.isLoggedIn() };
  },
  /** A key is typed, not piped: it is not to be seen. */
  'typed-key': async (sim) => {
    const terminal = await Terminal.open(sim, ['--with-api-key']);
    await terminal.saw(/not shown/);
    terminal.write('sk-typed-0123456789abcdeX\x7ff\r');
    const stored = async (): Promise<string> => await readFile(join(terminal.home, 'auth.json'), 'utf8');
    return { screen: await terminal.screen(), stored: JSON.parse(await stored()) as unknown };
  },
  'typed-ctrl-c': async (sim) => {
    const terminal = await Terminal.open(sim, ['--with-api-key']);
    await terminal.saw(/not shown/);
    terminal.write(`sk-half${CTRL_C}`);
    return { screen: await terminal.screen(), isLoggedIn: await terminal.isLoggedIn() };
  },
  'typed-ctrl-d': async (sim) => {
    const terminal = await Terminal.open(sim, ['--with-api-key']);
    await terminal.saw(/not shown/);
    terminal.write(CTRL_D);
    return { screen: await terminal.screen(), isLoggedIn: await terminal.isLoggedIn() };
  },
};

async function play(): Promise<Readonly<Record<string, unknown>>> {
  const outcomes: Record<string, unknown> = {};
  for (const name of sceneNames) {
    const scene = SCENES[name];
    if (scene === undefined) throw new Error(`there is no scene ${name}`);
    await using sim = await Simulator.start({ oauth: { account: ACCOUNTS.plus } });
    outcomes[name] = await scene(sim).catch((error: unknown) => ({ failed: String(error) }));
  }
  return outcomes;
}

process.stdout.write(`${JSON.stringify(await play())}\n`);
process.exit(0); // a login that a failed scene left waiting ends with the network
