import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import ts from 'typescript-api';
import { expect, test } from 'vitest';
import { REPOSITORY_ROOT } from '../lib/tool.js';

const OPTIONS = /** @type {ts.CompilerOptions} */ ({
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  customConditions: ['quire-source'],
  types: ['node'],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  allowImportingTsExtensions: true,
});

test('the TypeScript examples compile against the packages [REPO-19]', async () => {
  const readme = await readFile(path.join(REPOSITORY_ROOT, 'README.md'), 'utf8');
  const examples = new Map(
    [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ''], index) => [
      path.join(REPOSITORY_ROOT, `readme-example-${index + 1}.ts`).replaceAll(path.sep, '/'),
      code,
    ]),
  );
  const host = ts.createCompilerHost(OPTIONS);
  const { fileExists, readFile: readFromDisk } = host;
  host.fileExists = (name) => examples.has(name) || fileExists(name);
  host.readFile = (name) => examples.get(name) ?? readFromDisk(name);
  const program = ts.createProgram([...examples.keys()], OPTIONS, host);
  const messages = [...examples.keys()].flatMap((name) => {
    const source = program.getSourceFile(name);
    const problems = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  });
  expect({ count: examples.size, messages }).toEqual({ count: 2, messages: [] });
});

test('the files that the documents link to exist', async () => {
  const documents = ['README.md', 'CONTRIBUTING.md', 'AGENTS.md', 'docs/architecture.md', 'docs/decisions/README.md'];
  const broken = [];
  for (const document of documents) {
    const text = await readFile(path.join(REPOSITORY_ROOT, document), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      if (!existsSync(path.join(REPOSITORY_ROOT, path.dirname(document), target)))
        broken.push(`${document}: ${target}`);
    }
  }
  expect(broken).toEqual([]);
});
