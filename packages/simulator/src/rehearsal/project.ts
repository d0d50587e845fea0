import { posix } from 'node:path';
import { isJsonObject, objectAt, stringAt } from '@quire/protocol';
import type { Evidence } from './evidence.ts';
import type { Action } from './toolbox.ts';
import type { Procedure, Turn } from './turn.ts';

/** Bounds that keep the conversation small; the rehearsal is for small programs. */
const MAX_LISTED_FILES = 200;
const MAX_READ_FILES = 12;

export interface ProjectFiles {
  readonly sources: ReadonlyMap<string, string>;
  readonly tests: ReadonlyMap<string, string>;
}

export type Project =
  | { readonly kind: 'unknown'; readonly reason: string }
  | {
      readonly kind: 'node';
      readonly testCommand: string;
      /** The failing tests and what they import, read through the shell. */
      readFiles(evidence: Evidence, options: { readonly plan: readonly Action[] }): Procedure<ProjectFiles>;
    };

type Run = (turn: Turn) => Procedure<readonly { readonly exitCode: number; readonly output: string }[]>;

/** Looks at the working directory: its listing, `package.json`, the JavaScript files. */
export function* readProject(options: { readonly plan: readonly Action[]; readonly run: Run }): Procedure<Project> {
  const { run } = options;
  const listing: Action = { kind: 'shell', command: 'ls -Ap' };
  const look = yield* run({ say: 'Looking at the repository.', actions: [...options.plan, listing] });
  const names = (look.at(-1)?.output ?? '').split('\n');
  if (!names.includes('package.json')) {
    return { kind: 'unknown', reason: 'I only know small Node.js projects, and there is no package.json here.' };
  }
  const find = `find . -type f -name '*.js' ! -path '*/node_modules/*' ! -path './.git/*' | head -n ${MAX_LISTED_FILES}`;
  const [manifest, found] = yield* run({
    actions: [
      { kind: 'shell', command: 'cat package.json' },
      { kind: 'shell', command: find },
    ],
  });
  const testCommand = testCommandOf(manifest?.output ?? '');
  if (testCommand === undefined) return { kind: 'unknown', reason: 'package.json has no test script I could run.' };
  const paths = (found?.output ?? '').split('\n').flatMap((line) => (line.startsWith('./') ? [line.slice(2)] : []));
  return {
    kind: 'node',
    testCommand,
    readFiles: (evidence, how) => readFiles({ paths, evidence, run, plan: how.plan }),
  };
}

/** A script that is only `node --test …` is run as it stands: the same tests without npm's start-up time. */
function testCommandOf(manifest: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(manifest);
    const script = isJsonObject(parsed) ? stringAt(objectAt(parsed, 'scripts') ?? {}, 'test') : undefined;
    if (script === undefined) return undefined;
    return /^node --test(?: [\w./*=-]+)*$/.test(script) ? script : 'npm test';
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

interface Reading {
  readonly paths: readonly string[];
  readonly evidence: Evidence;
  readonly run: Run;
  readonly plan: readonly Action[];
}

function* readFiles(reading: Reading): Procedure<ProjectFiles> {
  const isTest = (path: string): boolean => /(?:^|\/)tests?\/|\.test\.js$|\.spec\.js$|(?:^|\/)test\.js$/.test(path);
  const allTests = reading.paths.filter(isTest);
  const named = allTests.filter((path) => reading.evidence.frames.some((frame) => frame.path.endsWith(`/${path}`)));
  const tests = yield* readAll(named.length > 0 ? named : allTests, {
    ...reading,
    say: 'The tests fail. Reading the ones that do.',
  });
  const sources = new Map<string, string>();
  let wanted = importsOf(tests, reading.paths).filter((path) => !isTest(path));
  while (wanted.length > 0 && sources.size < MAX_READ_FILES) {
    const next = yield* readAll(wanted, { ...reading, plan: [], say: 'Reading the code they use.' });
    for (const [path, text] of next) sources.set(path, text);
    wanted = importsOf(next, reading.paths).filter((path) => !isTest(path) && !sources.has(path));
  }
  return { tests, sources };
}

function* readAll(
  paths: readonly string[],
  options: Reading & { readonly say: string },
): Procedure<ReadonlyMap<string, string>> {
  const chosen = paths.slice(0, MAX_READ_FILES);
  const contents = new Map<string, string>();
  if (chosen.length === 0) return contents;
  const actions = chosen.map((path): Action => ({ kind: 'shell', command: `cat ${shellQuote(path)}` }));
  const results = yield* options.run({ say: options.say, actions: [...options.plan, ...actions] });
  for (const [index, path] of chosen.entries()) {
    const result = results[index + options.plan.length];
    // A file that was cut on its way cannot be patched with confidence.
    if (result === undefined || result.exitCode !== 0 || /…\d+ (?:tokens|chars) truncated…/.test(result.output))
      continue;
    contents.set(path, result.output);
  }
  return contents;
}

const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\(\s*)['"](\.[^'"]+)['"]/g;

function importsOf(files: ReadonlyMap<string, string>, known: readonly string[]): readonly string[] {
  const found = new Set<string>();
  for (const [path, text] of files) {
    for (const match of text.matchAll(IMPORT)) {
      const target = posix.join(posix.dirname(path), match[1] ?? '');
      for (const candidate of [target, `${target}.js`, `${target}/index.js`]) {
        if (known.includes(candidate)) found.add(candidate);
      }
    }
  }
  return [...found];
}

function shellQuote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
