import { expect, test } from 'vitest';
import { splitEnvironment } from '../../src/sandbox/launcher-environment.ts';

test('what makes a program load code of one’s choosing, or complain about a language, is kept from the launcher [SBX-34] [SBX-85]', () => {
  const withheld = {
    LD_PRELOAD: 'a',
    LD_LIBRARY_PATH: 'b',
    PERL5LIB: 'c',
    PERL5OPT: 'd',
    GCONV_PATH: 'e',
    GLIBC_TUNABLES: 'f',
    LANG: 'qq_QQ',
    LC_ALL: 'qq_QQ',
  };
  const harmless = { PATH: '/bin', HOME: '/h', QUIRE_OWNER: 'x' };
  expect(splitEnvironment({ ...withheld, ...harmless })).toEqual({
    launcher: harmless,
    withheld: Object.entries(withheld),
  });
});
