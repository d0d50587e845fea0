import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { LAUNCHER } from '../../src/sandbox/launcher-script.ts';

test('the launcher declares every name that it uses [SBX-84]', () => {
  const looked = spawnSync('perl', ['-Mstrict', '-c', '-e', LAUNCHER], { encoding: 'utf8' });
  expect(looked.stderr).toBe('-e syntax OK\n');
});
