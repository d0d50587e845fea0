import { expect, test } from 'vitest';
import { checkRequirements, citedIds, parseRequirements } from '../requirements/check-requirements.js';
import { cite, temporaryTree } from './temporary-tree.js';

const HEADER = '| id | requirement | source | state |\n|---|---|---|---|\n';

/** @param {string} rows @param {Record<string, string>} tests path to content */
async function check(rows, tests) {
  return checkRequirements(
    await temporaryTree({ 'docs/requirements/topic.md': `# T\n\n${HEADER}${rows}\n\nAfter.\n`, ...tests }),
  );
}

test('documents and tests that agree have no findings, and gaps are listed [REPO-11]', async () => {
  const rows =
    '| AB-1 | It works. | peer | tested |\n| AB-2 | It flies. | peer | gap |\n| AB-3 | It \\| `a|b`. | peer | tested |';
  const tests = {
    'packages/x/test/a.test.ts': `test('works ${cite('AB-1')}')`,
    'conformance/cases.js': `// ${cite('AB-3')}`,
    'docs/requirements/README.md': 'not a document',
  };
  expect(await check(rows, tests)).toEqual({
    findings: [],
    notes: ['gap AB-2: It flies. (docs/requirements/topic.md:6)'],
    summary: '3 requirements, 1 gaps',
  });
});

test('a tested requirement that no test cites is found; a citation elsewhere does not count [REPO-11]', async () => {
  const tests = {
    'packages/x/src/a.ts': `// ${cite('AB-1')}`,
    'packages/x/test/notes.md': cite('AB-1'),
    'packages/x/test/a.test.ts': '// AB-1 without brackets',
  };
  expect((await check('| AB-1 | It works. | peer | tested |', tests)).findings).toEqual([
    `docs/requirements/topic.md:5: AB-1 is "tested" but no test cites ${cite('AB-1')}`,
  ]);
});

test('a citation of an id that no document has is found, at its place [REPO-11]', async () => {
  const tests = {
    'test/deep/a.test.ts': `\n// ${cite('AB-1')}${cite('AB-1, ZZ-9')}`,
    'tools/test/b.test.js': cite('AB-12'),
  };
  expect((await check('| AB-1 | It works. | peer | tested |', tests)).findings).toEqual([
    `tools/test/b.test.js:1: cites ${cite('AB-12')}, which no document in docs/requirements has`,
    `test/deep/a.test.ts:2: cites ${cite('ZZ-9')}, which no document in docs/requirements has`,
  ]);
});

test('an id that stands twice is found, across documents too [REPO-11]', async () => {
  const tests = {
    'docs/requirements/other.md': `${HEADER}| AB-1 | It works. | peer | tested |\n`,
    'test/a.test.ts': cite('AB-1'),
  };
  expect((await check('| AB-1 | It works. | peer | tested |', tests)).findings).toEqual([
    'docs/requirements/topic.md:5: AB-1 is also the id of docs/requirements/other.md:3',
  ]);
});

test('malformed rows and documents are found [REPO-11]', () => {
  const rows =
    '| ab1 | It works. | peer | tested |\n| AB-1 | It works. | peer | done |\n| AB-2 | It works. | tested |\n| AB-3 |  | peer | gap |';
  expect(parseRequirements('topic.md', `${HEADER}${rows}`)).toEqual({
    requirements: [],
    findings: [
      'topic.md:3: "ab1" is no id such as SSE-03',
      'topic.md:4: AB-1 is "done"; write tested or gap',
      'topic.md:5: 3 cells; expected 4',
      'topic.md:6: AB-3 lacks its requirement or its source',
    ],
  });
  expect(parseRequirements('topic.md', '# Nothing')).toEqual({
    requirements: [],
    findings: ['topic.md: no table "| id | requirement | source | state |"'],
  });
  expect(parseRequirements('topic.md', `${HEADER}\n${HEADER}`).findings).toEqual([
    'topic.md: 2 requirement tables; keep one',
  ]);
});

test('a repository without requirements fails [REPO-02]', async () => {
  const root = await temporaryTree({ 'package.json': {} });
  expect((await checkRequirements(root)).findings).toEqual([
    'docs/requirements: no requirement was seen, so nothing was checked',
  ]);
});

test('character classes and lower case in brackets are no citations', () => {
  expect(citedIds('/[A-Z0-9]/ [a-1] [A-1] [UTF8] [AB-1x2]')).toEqual([]);
});
