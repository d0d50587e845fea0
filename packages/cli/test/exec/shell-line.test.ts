import { expect, test } from 'vitest';
import { scriptOf } from '../../src/exec/shell-line.ts';

test('the script of a shell call is shown without its wrapping [EXEC-50]', () => {
  const rows: readonly (readonly [string, string])[] = [
    ["/bin/bash -lc 'npm test'", 'npm test'],
    ["/bin/bash -lc \"find . -name '*.js' \"'! -path x'", "find . -name '*.js' ! -path x"],
    ['zsh -c "a \\"b\\" \\$c"', 'a "b" $c'],
    ['sh -c one\\ word', 'one word'],
    ["/bin/bash -lc ''", ''],
    ["/bin/bash -lc 'open", "/bin/bash -lc 'open"],
    ["/bin/bash -x 'npm test'", "/bin/bash -x 'npm test'"],
    ["python -c 'x'", "python -c 'x'"],
    ['/bin/bash -lc a b', '/bin/bash -lc a b'],
  ];
  expect(rows.map(([command]) => scriptOf(command))).toEqual(rows.map(([, script]) => script));
});
