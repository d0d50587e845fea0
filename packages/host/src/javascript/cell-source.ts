import type { Node, Pattern, Program } from 'acorn';
import type { CellBinding } from './kernel-messages.ts';

export type CellReading =
  | { readonly kind: 'cell'; readonly bindings: readonly CellBinding[] }
  /** It can not run. `error` is for the model and names the line. */
  | { readonly kind: 'invalid'; readonly error: string };

/** Finds what a cell declares at its top level, the variables of nested blocks included. */
export async function readCell(code: string, name: string): Promise<CellReading> {
  const { parse } = await import('acorn');
  let program: Program;
  try {
    program = parse(code, { ecmaVersion: 'latest', sourceType: 'module', locations: true });
  } catch (error) {
    return { kind: 'invalid', error: describeSyntaxError(error, { code, name }) };
  }
  const bindings = new Map<string, CellBinding['kind']>();
  for (const statement of program.body) {
    const source = staticSource(statement);
    if (source !== undefined) {
      const line = statement.loc?.start.line ?? 1;
      const advice = `use \`await import(${JSON.stringify(source)})\` instead`;
      return {
        kind: 'invalid',
        error: `SyntaxError: a cell can not import statically: ${advice}\n    at ${name}:${line}`,
      };
    }
    for (const declared of declaredNames(statement)) bindings.set(declared, 'other');
  }
  for (const declared of variableNames(program)) if (!bindings.has(declared)) bindings.set(declared, 'var');
  return { kind: 'cell', bindings: [...bindings].map(([name, kind]) => ({ name, kind })) };
}

type Statement = Program['body'][number];

/** Where a static import or a re-export takes its names from. */
function staticSource(statement: Statement): string | undefined {
  switch (statement.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
      return String(statement.source.value);
    case 'ExportNamedDeclaration':
      return statement.source == null ? undefined : String(statement.source.value);
    default:
      return undefined;
  }
}

/** Of a function, a class, `let`, `const` or `using`, exported or not. */
function declaredNames(statement: Statement): string[] {
  switch (statement.type) {
    case 'ExportNamedDeclaration':
      return statement.declaration == null ? [] : declaredNames(statement.declaration);
    case 'ExportDefaultDeclaration': {
      const { declaration } = statement;
      const isNamed = declaration.type === 'FunctionDeclaration' || declaration.type === 'ClassDeclaration';
      return isNamed && declaration.id !== null ? [declaration.id.name] : [];
    }
    case 'FunctionDeclaration':
    case 'ClassDeclaration':
      return [statement.id.name];
    case 'VariableDeclaration':
      return statement.kind === 'var' ? [] : statement.declarations.flatMap(({ id }) => patternNames(id));
    default:
      return [];
  }
}

/** Of `var`, wherever it stands outside of functions and classes. */
function variableNames(node: Node): string[] {
  if (isVariableScope(node)) return [];
  const names = isVarDeclaration(node) ? node.declarations.flatMap(({ id }) => patternNames(id)) : [];
  for (const child of Object.values(node) as readonly unknown[]) {
    for (const part of Array.isArray(child) ? (child as readonly unknown[]) : [child]) {
      if (isNode(part)) names.push(...variableNames(part));
    }
  }
  return names;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function isVariableScope(node: Node): boolean {
  return /^(Function|ArrowFunction|Class)/.test(node.type);
}

function isVarDeclaration(node: Node): node is Extract<Statement, { type: 'VariableDeclaration' }> {
  return node.type === 'VariableDeclaration' && 'kind' in node && node.kind === 'var';
}

function patternNames(pattern: Pattern): string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern.name];
    case 'ObjectPattern':
      return pattern.properties.flatMap((part) => patternNames(part.type === 'Property' ? part.value : part));
    case 'ArrayPattern':
      return pattern.elements.flatMap((element) => (element === null ? [] : patternNames(element)));
    case 'RestElement':
      return patternNames(pattern.argument);
    case 'AssignmentPattern':
      return patternNames(pattern.left);
    default:
      return []; // a member expression, which declares nothing
  }
}

function describeSyntaxError(error: unknown, cell: { readonly code: string; readonly name: string }): string {
  if (!(error instanceof SyntaxError) || !('loc' in error)) {
    // The parser runs out of stack where nesting is too deep.
    return `SyntaxError: the cell can not be parsed (${error instanceof Error ? error.message : String(error)})`;
  }
  const { line, column } = error.loc as { readonly line: number; readonly column: number };
  const message = error.message.replace(/ \(\d+:\d+\)$/, '');
  const text = (cell.code.split(/\r?\n/)[line - 1] ?? '').slice(0, 200);
  const excerpt = column <= text.length ? `\n${text}\n${' '.repeat(column)}^` : '';
  return `SyntaxError: ${message}\n    at ${cell.name}:${line}:${column + 1}${excerpt}`;
}
