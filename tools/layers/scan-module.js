/**
 * Reads one source file: every module it names, in whatever spelling, and its use of a few platform globals.
 * Works on syntax alone, so it needs neither types nor a build.
 */
import ts from 'typescript-api';

/**
 * @typedef {{ specifier: string, line: number, spelling: string, names: readonly string[] | undefined }} ModuleImport
 *   `specifier` is as written; `names` are the values taken (none when only types are), `undefined` when all may be
 * @typedef {{ name: string, line: number }} GlobalUse `name` as in `fetch` or `process.exit`
 * @typedef {object} ModuleScan
 * @property {ModuleImport[]} imports
 * @property {GlobalUse[]} computedImports imports whose target is no literal
 * @property {GlobalUse[]} globals uses of `NETWORK_GLOBALS`
 * @property {GlobalUse[]} exits places that end the process
 * @property {GlobalUse[]} typeReferences `/// <reference types|lib="…" />`
 */

/** Globals that open sockets. */
const NETWORK_GLOBALS = new Set(['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest', 'WebSocketStream']);
const EXIT_MEMBERS = new Set(['exit', 'reallyExit', 'abort']);
const PROCESS_MODULES = new Set(['process', 'node:process']);

/**
 * @param {string} fileName decides between TypeScript and JavaScript syntax
 * @param {string} text
 * @returns {ModuleScan}
 */
export function scanModule(fileName, text) {
  const source = ts.createSourceFile(fileName, text, ts.ScriptTarget.Latest, /* setParentNodes */ true);
  /** @type {ModuleScan} */
  const scan = { imports: [], computedImports: [], globals: [], exits: [], typeReferences: [] };
  const names = collectNames(source);

  /** @param {ts.Node} node */
  const lineOf = (node) => source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
  /** @param {ts.Node | undefined} target @param {ts.Node} node @param {string} spelling */
  const addImport = (target, node, spelling) => {
    if (target !== undefined && ts.isStringLiteralLike(target)) {
      scan.imports.push({ specifier: target.text, line: lineOf(node), spelling, names: valuesTaken(node) });
    } else {
      scan.computedImports.push({ name: spelling, line: lineOf(node) });
    }
  };

  /** @param {ts.Node} node */
  const visit = (node) => {
    const named = moduleNamedBy(node, names);
    if (named !== undefined) addImport(named.target, node, named.spelling);
    const global = networkGlobal(node, names);
    if (global !== undefined) scan.globals.push({ name: global, line: lineOf(node) });
    const exit = processExit(node, names);
    if (exit !== undefined) scan.exits.push({ name: exit, line: lineOf(node) });
    ts.forEachChild(node, visit);
  };
  visit(source);
  for (const reference of [...source.typeReferenceDirectives, ...source.libReferenceDirectives]) {
    const line = source.getLineAndCharacterOfPosition(reference.pos).line + 1;
    scan.typeReferences.push({ name: reference.fileName, line });
  }
  for (const reference of source.referencedFiles) {
    const line = source.getLineAndCharacterOfPosition(reference.pos).line + 1;
    scan.imports.push({ specifier: asRelative(reference.fileName), line, spelling: 'reference path', names: [] });
  }
  return scan;
}

/**
 * The values that an import takes from its module; types are no values.
 * @param {ts.Node} node
 * @returns {readonly string[] | undefined}
 */
function valuesTaken(node) {
  if (ts.isImportTypeNode(node) || ts.isModuleDeclaration(node)) return [];
  if (ts.isExportDeclaration(node)) return node.isTypeOnly ? [] : undefined;
  if (!ts.isImportDeclaration(node)) return undefined;
  const clause = node.importClause;
  if (clause === undefined) return undefined;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return [];
  const bindings = clause.namedBindings;
  if (clause.name !== undefined || bindings === undefined || ts.isNamespaceImport(bindings)) return undefined;
  return bindings.elements.flatMap(({ isTypeOnly, name, propertyName }) =>
    isTypeOnly ? [] : [(propertyName ?? name).text],
  );
}

/** @param {string} fileName */
function asRelative(fileName) {
  return fileName.startsWith('.') || fileName.startsWith('/') ? fileName : `./${fileName}`;
}

/**
 * Names that the file itself gives: `declared` hide globals, `requires` are functions made by `createRequire`,
 * `processes` stand for the process object.
 * @typedef {{ declared: Set<string>, requires: Set<string>, processes: Set<string> }} FileNames
 */

/**
 * @param {ts.SourceFile} source
 * @returns {FileNames}
 */
function collectNames(source) {
  const names = { declared: new Set(), requires: new Set(['require']), processes: new Set(['process']) };
  /** @param {ts.Node} node */
  const visit = (node) => {
    if (isDeclarationWithName(node)) {
      names.declared.add(node.name.text);
      if (ts.isVariableDeclaration(node) && isCreateRequireCall(node.initializer)) names.requires.add(node.name.text);
    }
    if (ts.isImportDeclaration(node) && isProcessModule(node.moduleSpecifier)) {
      const clause = node.importClause;
      if (clause?.name !== undefined) names.processes.add(clause.name.text);
      if (clause?.namedBindings !== undefined && ts.isNamespaceImport(clause.namedBindings)) {
        names.processes.add(clause.namedBindings.name.text);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return names;
}

/**
 * @param {ts.Node} node
 * @returns {node is ts.NamedDeclaration & { name: ts.Identifier }}
 */
function isDeclarationWithName(node) {
  const declares =
    ts.isVariableDeclaration(node) ||
    ts.isParameter(node) ||
    ts.isBindingElement(node) ||
    ts.isFunctionDeclaration(node) ||
    ts.isClassDeclaration(node) ||
    ts.isImportSpecifier(node) ||
    ts.isImportClause(node) ||
    ts.isNamespaceImport(node);
  return declares && node.name !== undefined && ts.isIdentifier(node.name);
}

/** @param {ts.Node | undefined} node */
function isCreateRequireCall(node) {
  if (node === undefined || !ts.isCallExpression(node)) return false;
  const callee = node.expression;
  return (
    (ts.isIdentifier(callee) && callee.text === 'createRequire') ||
    (ts.isPropertyAccessExpression(callee) && callee.name.text === 'createRequire')
  );
}

/** @param {ts.Node} node */
function isProcessModule(node) {
  return ts.isStringLiteralLike(node) && PROCESS_MODULES.has(node.text);
}

/**
 * @param {ts.Node} node
 * @param {FileNames} names
 * @returns {{ target: ts.Node | undefined, spelling: string } | undefined}
 */
function moduleNamedBy(node, names) {
  if (ts.isImportDeclaration(node)) return { target: node.moduleSpecifier, spelling: 'import' };
  if (ts.isExportDeclaration(node)) {
    return node.moduleSpecifier && { target: node.moduleSpecifier, spelling: 'export from' };
  }
  if (ts.isExternalModuleReference(node)) return { target: node.expression, spelling: 'import equals' };
  if (ts.isImportTypeNode(node)) {
    return { target: ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, spelling: 'import type' };
  }
  if (ts.isModuleDeclaration(node) && ts.isStringLiteral(node.name) && !node.name.text.includes('*')) {
    return { target: node.name, spelling: 'declare module' };
  }
  if (ts.isCallExpression(node)) return moduleNamedByCall(node, names);
  return undefined;
}

/**
 * @param {ts.CallExpression} call
 * @param {FileNames} names
 * @returns {{ target: ts.Node | undefined, spelling: string } | undefined}
 */
function moduleNamedByCall(call, names) {
  const target = call.arguments[0];
  const callee = call.expression;
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return { target, spelling: 'import()' };
  if (ts.isIdentifier(callee) && names.requires.has(callee.text)) return { target, spelling: 'require' };
  if (isCreateRequireCall(callee)) return { target, spelling: 'require' };
  if (!ts.isPropertyAccessExpression(callee)) return undefined;
  const owner = callee.expression;
  const member = callee.name.text;
  if (member === 'resolve' && ts.isMetaProperty(owner)) return { target, spelling: 'import.meta.resolve' };
  if (member === 'resolve' && ts.isIdentifier(owner) && names.requires.has(owner.text)) {
    return { target, spelling: 'require.resolve' };
  }
  if (member === 'getBuiltinModule' && isProcess(owner, names)) return { target, spelling: 'getBuiltinModule' };
  return undefined;
}

/**
 * The global that `node` reads, if it opens sockets and the file does not declare the name itself.
 * @param {ts.Node} node
 * @param {FileNames} names
 */
function networkGlobal(node, names) {
  const member = memberOf(node);
  if (member !== undefined && isGlobalObject(member.owner)) {
    return NETWORK_GLOBALS.has(member.name) ? member.name : undefined;
  }
  if (!ts.isIdentifier(node) || !NETWORK_GLOBALS.has(node.text) || names.declared.has(node.text)) return undefined;
  return isValueReference(node) ? node.text : undefined;
}

/** @param {ts.Identifier} node */
function isValueReference(node) {
  const { parent } = node;
  if (ts.isShorthandPropertyAssignment(parent)) return true;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isExportSpecifier(parent) || ts.isTypeNode(parent) || ts.isTypeElement(parent)) return false;
  if (ts.isQualifiedName(parent) || ts.isLabeledStatement(parent) || ts.isJsxAttribute(parent)) return false;
  return !('name' in parent && parent.name === node);
}

/**
 * @param {ts.Node} node
 * @param {FileNames} names
 */
function processExit(node, names) {
  const member = memberOf(node);
  if (member !== undefined && EXIT_MEMBERS.has(member.name) && isProcess(member.owner, names)) {
    return `process.${member.name}`;
  }
  if (ts.isBindingElement(node)) {
    const name = node.propertyName ?? node.name;
    const declaration = node.parent.parent;
    const isExit = ts.isIdentifier(name) && EXIT_MEMBERS.has(name.text);
    const from = ts.isVariableDeclaration(declaration) ? declaration.initializer : undefined;
    return isExit && from !== undefined && isProcess(from, names) ? `process.${name.text}` : undefined;
  }
  if (ts.isImportSpecifier(node) && isProcessModule(node.parent.parent.parent.moduleSpecifier)) {
    const name = (node.propertyName ?? node.name).text;
    return EXIT_MEMBERS.has(name) ? `process.${name}` : undefined;
  }
  return undefined;
}

/**
 * `owner.name` and `owner['name']` alike.
 * @param {ts.Node} node
 */
function memberOf(node) {
  if (ts.isPropertyAccessExpression(node)) return { owner: node.expression, name: node.name.text };
  if (ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression)) {
    return { owner: node.expression, name: node.argumentExpression.text };
  }
  return undefined;
}

/** @param {ts.Node} node */
function isGlobalObject(node) {
  return ts.isIdentifier(node) && (node.text === 'globalThis' || node.text === 'global');
}

/**
 * @param {ts.Node} node
 * @param {FileNames} names
 */
function isProcess(node, names) {
  if (ts.isIdentifier(node)) return names.processes.has(node.text);
  const member = memberOf(node);
  return member !== undefined && member.name === 'process' && isGlobalObject(member.owner);
}
