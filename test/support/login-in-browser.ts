/**
 * A program: people log in with `quire login` in a real Chromium, each as its argument tells. It is to run in a network
 * of its own, since the ports of the login are fixed. Arguments: the command, a folder to write to, the repository, the
 * path of Chromium, names of scenes. Prints what came of it as JSON.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createRequire } from 'node:module';
import { createServer, type Server } from 'node:net';
import { delimiter, join } from 'node:path';
import { ACCOUNTS, type SimulatedAccount, Simulator } from '@quire/simulator';
import type { Page } from 'playwright-core';
import { eventually } from './processes.ts';

const [command = '', folder = '', repository = '', chromiumPath = '', ...sceneNames] = process.argv.slice(2);

/** For a Chromium that asks nobody but the page for anything; root needs `--no-sandbox`. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

interface Seen {
  /** Without the query's values, which are secrets. */
  readonly address: string;
  readonly title: string;
  readonly text: string;
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `quire login`, with a desktop whose browser only notes the address that it was to open. */
class Login {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #home: string;
  #stderr = '';

  private constructor(child: ChildProcess, home: string) {
    this.#child = child;
    this.#home = home;
    let stdout = '';
    child.stdout?.on('data', (chunk) => {
      stdout += String(chunk);
    });
    child.stderr?.on('data', (chunk) => {
      this.#stderr += String(chunk);
    });
    this.ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr: this.#stderr }));
  }

  static async begin(sim: Simulator): Promise<Login> {
    const home = await mkdtemp(join(folder, 'home-'));
    await mkdir(join(home, 'bin'));
    await writeFile(
      join(home, 'bin/xdg-open'),
      `#!/bin/sh\nprintf %s "$1" > "${home}/opened.part"\nmv "${home}/opened.part" "${home}/opened"\n`,
    );
    await chmod(join(home, 'bin/xdg-open'), 0o755);
    const path = `${join(home, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`;
    const child = spawn(process.execPath, [command, 'login', '--experimental_issuer', sim.issuer], {
      cwd: home,
      env: { PATH: path, HOME: home, CODEX_HOME: home, DISPLAY: ':99', ...revokeAt(sim) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new Login(child, home);
  }

  /** The address that was printed. */
  async address(): Promise<string> {
    for (;;) {
      const match = /\n(http:\S+)\n/.exec(this.#stderr)?.[1];
      if (match !== undefined) return match;
      const chunk = once(this.#child.stderr ?? this.#child, 'data');
      const end = this.ended.then(({ stderr }) => {
        throw new Error(`ended before it printed an address: ${stderr}`);
      });
      await Promise.race([chunk, end]);
    }
  }

  /** What the browser of the desktop was told to open. Nobody waits for that browser, so it may come late. */
  async opened(): Promise<string> {
    const note = join(this.#home, 'opened');
    await eventually(() => existsSync(note), /* timeoutMs */ 10_000);
    return await readFile(note, 'utf8');
  }

  /** Fields of what is stored, without their values. */
  async stored(): Promise<readonly string[]> {
    const text = await readFile(join(this.#home, 'auth.json'), 'utf8').catch(() => '{}');
    return Object.keys(JSON.parse(text) as object);
  }
}

const revokeAt = (sim: Simulator): Record<string, string> => ({
  CODEX_REVOKE_TOKEN_URL_OVERRIDE: `${sim.issuer}/oauth/revoke`,
});

/** A window that notes what should not happen. */
class Window {
  readonly page: Page;
  /** Scripts that ran, styles that were refused, requests that went elsewhere. */
  readonly oddities: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on('dialog', (dialog) => {
      this.oddities.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('console', (message) => {
      if (!message.text().includes('favicon')) this.oddities.push(`console: ${message.text()}`);
    });
    page.on('request', (request) => {
      const { hostname } = new URL(request.url());
      if (!['localhost', '127.0.0.1'].includes(hostname)) this.oddities.push(`request: ${hostname}`);
    });
  }

  async visit(address: string): Promise<Seen> {
    await this.page.goto(address);
    return await this.#look();
  }

  /** Consents on the page of the service, and waits for the page where it ends. */
  async consent(): Promise<Seen> {
    await this.page.click('#continue');
    await this.page.waitForURL(/\/(success|auth\/callback)/);
    return await this.#look();
  }

  async #look(): Promise<Seen> {
    const { origin, pathname, searchParams } = new URL(this.page.url());
    const names = [...searchParams.keys()].sort().join(',');
    return {
      address: `${origin}${pathname}${names === '' ? '' : `?${names}`}`,
      title: await this.page.title(),
      text: (await this.page.locator('body').allInnerTexts()).join(' ').replace(/\s+/g, ' '),
    };
  }
}

/** Language, headings in the main part, what is loaded. Runs in the page. */
const MARKS = `[
  document.documentElement.lang,
  document.querySelectorAll('main h1').length,
  document.querySelectorAll('script, link, img, iframe').length,
]`;

const HOSTILE = '<script>document.title="taken"</script><img src=x onerror=alert(1)>';
const serve = (account: SimulatedAccount): Promise<Simulator> =>
  Simulator.start({ oauth: { asksForConsent: true, account } });

type Scene = (window: Window) => Promise<unknown>;

const SCENES: Readonly<Record<string, Scene>> = {
  /** Everything goes well; pictures of the last page are taken. */
  success: async (window) => {
    await using sim = await serve(ACCOUNTS.plus);
    const login = await Login.begin(sim);
    const address = await login.address();
    const first = await window.visit(address);
    const last = await window.consent();
    await window.page.setViewportSize({ width: 720, height: 420 });
    await window.page.screenshot({ path: join(folder, 'login-success.png') });
    const { code, stdout } = await login.ended;
    const marks: unknown = await window.page.evaluate(MARKS);
    const stored = await login.stored();
    const wasOpened = (await login.opened()) === address;
    return { title: first.title, last, code, stdout, marks, stored, wasOpened };
  },
  /** The name of the person is markup. */
  'hostile-name': async (window) => {
    await using sim = await serve({ ...ACCOUNTS.plus, email: `${HOSTILE}@example.test` });
    const login = await Login.begin(sim);
    await window.visit(await login.address());
    const last = await window.consent();
    return { last, code: (await login.ended).code };
  },
  /** The refusal of the service is markup. */
  'hostile-refusal': async (window) => {
    await using sim = await serve({ refusal: { error: 'server_error', description: HOSTILE } });
    const login = await Login.begin(sim);
    await window.visit(await login.address());
    const last = await window.consent();
    const { code, stderr } = await login.ended;
    return { last, code, told: stderr.split('\n').at(-2), stored: await login.stored() };
  },
  cancel: async (window) => {
    await using sim = await serve(ACCOUNTS.plus);
    const login = await Login.begin(sim);
    await login.address();
    const page = await window.visit('http://localhost:1455/cancel');
    const { code, stderr } = await login.ended;
    return { page, code, told: stderr.split('\n').at(-2), stored: await login.stored() };
  },
  /** Somebody else's link comes first. */
  'wrong-state': async (window) => {
    await using sim = await serve(ACCOUNTS.plus);
    const login = await Login.begin(sim);
    const address = await login.address();
    const wrong = await window.visit('http://localhost:1455/auth/callback?code=stolen&state=wrong');
    await window.visit(address);
    const last = await window.consent();
    return { wrong, last, code: (await login.ended).code };
  },
  /** A second login is begun while the first one waits. */
  takeover: async (window) => {
    await using sim = await serve(ACCOUNTS.plus);
    const first = await Login.begin(sim);
    await first.address();
    const second = await Login.begin(sim);
    await window.visit(await second.address());
    const last = await window.consent();
    const { code, stderr } = await first.ended;
    return { first: { code, told: stderr.split('\n').at(-2) }, last, second: (await second.ended).code };
  },
  'port-of-another': (window) => besideStranger(window, () => httpStranger()),
  'port-that-hangs': (window) => besideStranger(window, () => listening(createServer(), '127.0.0.1', /* port */ 1455)),
  'port-on-ipv6': (window) => besideStranger(window, () => httpStranger('::1')),
  'both-ports': async () => {
    await using sim = await serve(ACCOUNTS.plus);
    const strangers = [
      await listening(
        createServer((socket) => socket.destroy()),
        '127.0.0.1',
        /* port */ 1455,
      ),
      await listening(
        createServer((socket) => socket.destroy()),
        '127.0.0.1',
        /* port */ 1457,
      ),
    ];
    const login = await Login.begin(sim);
    const { code, stderr } = await login.ended;
    for (const stranger of strangers) stranger.close();
    return { code, stderr };
  },
};

/** A program that serves pages of its own. */
async function httpStranger(host = '127.0.0.1'): Promise<Server> {
  const server = createHttpServer((_request, response) => {
    response.writeHead(404, { connection: 'close' }).end('somebody else');
  });
  return await listening(server, host, /* port */ 1455);
}

async function listening(server: Server, host: string, port: number): Promise<Server> {
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

async function besideStranger(window: Window, start: () => Promise<Server>): Promise<unknown> {
  await using sim = await serve(ACCOUNTS.plus);
  const stranger = await start();
  const login = await Login.begin(sim);
  await window.visit(await login.address());
  const last = await window.consent();
  stranger.close();
  return { last, code: (await login.ended).code };
}

/** What came of each scene, one after the other: its result, or why it failed. */
async function play(): Promise<Readonly<Record<string, unknown>>> {
  // Not a part of the bundle: it finds its files by its own place.
  const require = createRequire(join(repository, 'package.json'));
  const { chromium } = require('playwright-core') as typeof import('playwright-core');
  const browser = await chromium.launch({ executablePath: chromiumPath, args: FLAGS });
  const outcomes: Record<string, unknown> = {};
  try {
    for (const name of sceneNames) {
      const scene = SCENES[name];
      if (scene === undefined) throw new Error(`there is no scene ${name}`);
      const window = new Window(await browser.newPage({ colorScheme: 'light' }));
      try {
        outcomes[name] = { result: await scene(window), oddities: window.oddities };
      } catch (error) {
        outcomes[name] = { failed: String(error), oddities: window.oddities };
      }
      await window.page.close();
    }
  } finally {
    await browser.close();
  }
  return outcomes;
}

process.stdout.write(`${JSON.stringify(await play())}\n`);
process.exit(0); // a login that a failed scene left waiting ends with the network
