/** `quire` and the peer as a person starts them, with one home folder between them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';

/**
 * @typedef {'quire' | 'peer'} ProgramName
 * @typedef {Readonly<Record<ProgramName, string>>} ProgramPaths
 * @typedef {{ exitCode: number | null, stdout: string, stderr: string }} Ended
 * @typedef {{ stdin?: string, env?: Record<string, string>, onOutput?: (text: string) => void }} RunOptions
 *   `onOutput` hears everything that was printed so far, each time there is more
 */

export class Programs {
  #lab;
  #paths;

  /** @param {import('../lab.js').Lab} lab @param {ProgramPaths} paths */
  constructor(lab, paths) {
    this.#lab = lab;
    this.#paths = paths;
  }

  /**
   * Runs a program to its end.
   * @param {ProgramName} program
   * @param {readonly string[]} argv
   * @param {RunOptions} [options]
   * @returns {Promise<Ended>}
   */
  async run(program, argv, { stdin = '', env = {}, onOutput } = {}) {
    const child = spawn(this.#paths[program], argv, {
      cwd: this.#lab.repository,
      env: { ...this.#lab.environment, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const printed = { stdout: '', stderr: '' };
    for (const name of /** @type {const} */ (['stdout', 'stderr'])) {
      child[name].setEncoding('utf8').on('data', (/** @type {string} */ text) => {
        printed[name] += text;
        onOutput?.(printed.stdout + printed.stderr);
      });
    }
    child.stdin.on('error', () => undefined); // a program that ends early reads no more
    child.stdin.end(stdin);
    const exitCode = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    return { exitCode, ...printed };
  }

  /**
   * Runs it to an end with exit code 0.
   * @param {ProgramName} program
   * @param {readonly string[]} argv
   * @param {RunOptions} [options]
   */
  async ok(program, argv, options) {
    const ended = await this.run(program, argv, options);
    assert.equal(ended.exitCode, 0, `${program} ${argv.join(' ')}: ${ended.stdout}${ended.stderr}`);
    return ended;
  }

  /**
   * One turn at the service.
   * @param {ProgramName} program
   * @param {import('@quire/simulator').Simulator} service
   * @param {Record<string, string>} [variables]
   */
  async turn(program, service, variables = {}) {
    const settings = [`openai_base_url=${JSON.stringify(service.url)}`, 'analytics.enabled=false'];
    const options = ['--json', '-s', 'read-only', ...settings.flatMap((setting) => ['-c', setting])];
    const { stdout } = await this.ok(program, ['exec', ...options, 'Say done.'], {
      env: { ...tokenServer(service), ...variables },
    });
    assert.match(stdout, /"turn\.completed"/);
    const request = service.requests.at(-1);
    assert.ok(request !== undefined, `${program} asked nobody`);
    return request;
  }

  /**
   * A login by device code, which a person allows at once.
   * @param {ProgramName} program
   * @param {import('@quire/simulator').Simulator} service
   */
  async logInWithDevice(program, service) {
    const argv = ['login', '--device-auth', '--experimental_issuer', service.issuer];
    await this.ok(program, argv, {
      env: tokenServer(service),
      onOutput: () => {
        for (const code of service.oauth.pendingUserCodes) service.oauth.approveDevice(code);
      },
    });
  }
}

/** @param {import('@quire/simulator').Simulator} service */
export function tokenServer({ issuer }) {
  return {
    CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${issuer}/oauth/token`,
    CODEX_REVOKE_TOKEN_URL_OVERRIDE: `${issuer}/oauth/revoke`,
  };
}
