import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { findProgram } from '../../src/sandbox/find-program.ts';
import { launcherScript } from '../../src/sandbox/launcher-script.ts';

test.each([
  { looksAtMounts: false, forwards: false },
  { looksAtMounts: true, forwards: false },
  { looksAtMounts: false, forwards: true },
  { looksAtMounts: true, forwards: true },
])('the launcher declares every name that it uses: $looksAtMounts, $forwards [SBX-84]', (parts) => {
  const looked = spawnSync(findProgram('perl') ?? '', ['-Mstrict', '-c', '-e', launcherScript(parts)], {
    encoding: 'utf8',
  });
  expect(looked.stderr).toBe('-e syntax OK\n');
});
