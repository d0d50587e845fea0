import { expect, test } from 'vitest';
import { splitEnvironment } from '../../src/sandbox/launcher-environment.ts';

test('what makes a program load code of one’s choosing is kept from the launcher [SBX-34]', () => {
  const dangerous = {
    LD_PRELOAD: 'a',
    LD_LIBRARY_PATH: 'b',
    PERL5LIB: 'c',
    PERL5OPT: 'd',
    GCONV_PATH: 'e',
    GLIBC_TUNABLES: 'f',
  };
  const harmless = { PATH: '/bin', HOME: '/h', LANG: 'C', QUIRE_OWNER: 'x' };
  expect(splitEnvironment({ ...dangerous, ...harmless })).toEqual({
    launcher: harmless,
    withheld: Object.entries(dangerous),
  });
});
