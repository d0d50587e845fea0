import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SandboxBackend } from './backend.ts';

/** On a busy machine the programs of a try may take seconds to start. */
const TRY_MS = 5_000;
const COMPLAINT_LENGTH = 300;

/**
 * Writes inside, which must work, and outside and into something protected, which must not; and looks for a network:
 * a device beside the loopback one, and then whether a socket can be had all the same.
 */
const SCRIPT = `echo x > in/free/file || exit 9
(echo x > out/file) 2>/dev/null
(echo x > in/kept/file) 2>/dev/null
[ -r /proc/net/dev ] || exit 0
[ "$(grep -c : /proc/net/dev)" -le 1 ] || perl -e 'exit(socket(my $s, 2, 1, 0) ? 1 : 0)' || exit 8`;
const MEANINGS: Readonly<Record<number, string>> = {
  8: 'it does not keep a command off the network',
  9: 'it keeps a command from writing where it may',
};

/** Runs something confined. `undefined`: it holds; else why not, in one line. */
export async function tryBackend(backend: SandboxBackend): Promise<string | undefined> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'quire-sandbox-try-')));
  try {
    const [inside, outside, kept] = [join(folder, 'in'), join(folder, 'out'), join(folder, 'in', 'kept')];
    for (const path of [inside, outside, kept]) mkdirSync(path);
    const ended = await run(backend, { folder, inside, kept });
    if (ended !== undefined) return ended;
    // Where there are no namespaces nothing can be made beside something protected; the write itself says it all.
    if (existsSync(join(outside, 'file'))) return 'it does not keep a command from writing elsewhere';
    return existsSync(join(kept, 'file')) ? 'it does not keep what is protected' : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run(
  backend: SandboxBackend,
  place: { readonly folder: string; readonly inside: string; readonly kept: string },
): Promise<string | undefined> {
  mkdirSync(join(place.inside, 'free'));
  const start = backend.start({
    argv: ['/bin/sh', '-c', SCRIPT],
    cwd: place.folder,
    confinement: { kind: 'sandbox', writableRoots: [place.inside], network: 'off' },
    environment: { PATH: '/usr/bin:/bin' },
    writableRoots: [place.inside],
    protectedPaths: [place.kept],
    pinnedFolders: [],
    egress: undefined,
  });
  try {
    const child = spawn(start.path, start.args, {
      cwd: place.folder,
      env: start.environment,
      stdio: ['ignore', 'ignore', 'pipe', ...start.extraFds],
      timeout: TRY_MS,
      killSignal: 'SIGKILL',
    });
    let complaint = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      if (complaint.length < COMPLAINT_LENGTH) complaint += chunk.toString('utf8');
    });
    const [code, signal]: unknown[] = await once(child, 'close');
    if (code === 0) return undefined;
    const meaning = typeof code === 'number' ? MEANINGS[code] : undefined;
    if (meaning !== undefined) return meaning;
    const said = complaint.trim().split('\n')[0]?.slice(0, COMPLAINT_LENGTH) ?? '';
    if (said !== '') return said;
    return signal === null ? `a try ended with exit code ${String(code)}` : `no answer within ${TRY_MS / 1000} s`;
  } finally {
    start.release();
  }
}
