import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundleHost } from './bundle-host.ts';

/**
 * Runs a module of its own, in the main thread of its own process, in which `host` is the package, and
 * returns what it prints as JSON, with what went to standard error.
 */
export async function runInProgram(
  directory: string,
  source: string,
  options: { readonly fileSizeLimitKibibytes?: number } = {},
): Promise<{ readonly result: unknown; readonly stderr: string }> {
  await bundleHost(directory);
  const program = join(directory, 'program.mjs');
  await writeFile(program, `import * as host from './host.mjs';\n${source}`);
  const limit = options.fileSizeLimitKibibytes ?? 'unlimited';
  const script = `ulimit -f ${limit} && exec "$@"`;
  const { stdout, stderr } = await promisify(execFile)('/bin/bash', ['-c', script, 'bash', process.execPath, program], {
    cwd: directory,
    timeout: 20_000,
  });
  return { result: JSON.parse(stdout), stderr };
}
