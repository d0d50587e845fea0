import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { OPTIONAL_MODULES } from './bundle-program.ts';

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));

/** The scripted command as one file in a folder of its own. */
export async function buildScriptedExec(): Promise<
  { readonly path: string; readonly folder: string } & AsyncDisposable
> {
  const folder = await mkdtemp(join(tmpdir(), 'quire-cli-'));
  const path = join(folder, 'scripted-exec.mjs');
  await build({
    absWorkingDir: PACKAGE,
    entryPoints: [fileURLToPath(new URL('./scripted-exec.ts', import.meta.url))],
    outfile: path,
    bundle: true,
    external: OPTIONAL_MODULES,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['quire-source'],
    logLevel: 'error',
  });
  return { path, folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A started program whose output is gathered and whose marks can be awaited. */
export class Program {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  #stdout = '';
  #stderr = '';
  #marks = '';
  readonly #checks = new Set<() => void>();

  constructor(
    path: string,
    options: {
      readonly argv: readonly string[];
      readonly stdin: 'pipe' | 'ignore' | number;
      readonly env?: Readonly<Record<string, string>>;
      /** Takes nothing from stdout. */
      readonly leaveStdout?: boolean;
    },
  ) {
    this.child = spawn(process.execPath, [path, ...options.argv], {
      stdio: [options.stdin, 'pipe', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], MARKS: '1', ...options.env },
    });
    if (!options.leaveStdout) this.child.stdout?.on('data', (chunk) => this.#add(() => (this.#stdout += chunk)));
    this.child.stderr?.on('data', (chunk) => this.#add(() => (this.#stderr += chunk)));
    this.child.stdio[3]?.on('data', (chunk) => this.#add(() => (this.#marks += chunk)));
    this.child.stdin?.on('error', () => undefined); // a program that ends early takes no more
    this.ended = new Promise((resolve) => {
      this.child.on(options.leaveStdout ? 'exit' : 'close', (code, signal) => {
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  /** On stdout until now. */
  get printed(): string {
    return this.#stdout;
  }

  /** The mark was made, or the text came on stderr or stdout. */
  async saw(text: string): Promise<void> {
    const isSeen = (): boolean => `${this.#marks}\n${this.#stderr}\n${this.#stdout}`.includes(text);
    const early = this.ended.then((ended) => {
      if (!isSeen()) throw new Error(`ended without ${JSON.stringify(text)}: ${JSON.stringify(ended)}`);
    });
    const seen = new Promise<void>((resolve) => {
      const check = (): void => {
        if (!isSeen()) return;
        this.#checks.delete(check);
        resolve();
      };
      this.#checks.add(check);
      check();
    });
    await Promise.race([seen, early]);
  }

  #add(change: () => void): void {
    change();
    for (const check of [...this.#checks]) check();
  }
}
