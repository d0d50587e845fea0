import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { findLimiter, limitMarkOf, withLimitMark } from '../../src/process/limit-mark.ts';

const TOKEN = '0123456789abcdef0123456789abcdef';
const from = { cwd: '/', environment: { PATH: '/usr/bin:/bin' } };

test.skipIf(process.platform !== 'linux')(
  'a marked program and what it starts show the mark, whatever they do with session, environment and outputs [CMD-43]',
  async () => {
    const text = limitMarkOf(TOKEN);
    const script = 'setsid env -i /bin/cat /proc/self/limits 2>/dev/null </dev/null';
    const [program, ...args] = withLimitMark(['sh', '-c', script], { limiter: await findLimiter(), text }, from);
    expect(program).toMatch(/prlimit$/);
    expect(execFileSync(program, args, { encoding: 'utf8' })).toMatch(new RegExp(`${text} +unlimited +us`));
  },
);

test.each([
  ['there is nothing to mark with', ['true'], { limiter: undefined, text: '1' }, from],
  ['the program is not there', ['no-such-program'], { limiter: '/usr/bin/prlimit', text: '1' }, from],
  ['the program is not executable', ['/etc/passwd'], { limiter: '/usr/bin/prlimit', text: '1' }, from],
  ['the directory is not there', ['true'], { limiter: '/usr/bin/prlimit', text: '1' }, { ...from, cwd: '/no-such' }],
] as const)('where %s a program stays as it is [CMD-46]', (_, argv, mark, place) => {
  expect(withLimitMark(argv, mark, place)).toEqual(argv);
});

test('marks of two owners differ, and are numbers that the system takes', () => {
  const [first, second] = [limitMarkOf(TOKEN), limitMarkOf('f'.repeat(32))];
  expect([BigInt(first) > 10n ** 18n, BigInt(second) < 2n ** 63n, first === second]).toEqual([true, true, false]);
});
