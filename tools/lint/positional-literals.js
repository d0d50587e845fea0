/**
 * The positional-literal rule: a bare `true`, `false`, `null`, `undefined` or number that is passed positionally
 * to a function of this repository must say which parameter it is. See positional-literals.md.
 */
import ts from 'typescript-api';

/**
 * @typedef {{ file: string, line: number, column: number, message: string, missing?: MissingName }} Finding
 *   line and column are 1-based
 * @typedef {{ offset: number, comment: string }} MissingName what to insert, and where; absent when a person must decide
 * @typedef {{ expression: ts.Expression, position: number | undefined }} Argument
 *   `position` is `undefined` behind a spread of unknown length; `restFrom` tells how many come at least before it
 * @typedef {{ kind: 'exempt' } | { kind: 'unresolved' } | { kind: 'ours', name: string, signature: ts.Signature }} Callee
 */

/**
 * Findings of every source file of `program` that `isChecked` accepts.
 * @param {ts.Program} program
 * @param {{ isChecked: (fileName: string) => boolean, isOurs: (fileName: string) => boolean }} options
 *   `isOurs` tells whether a declaration in that file belongs to this repository
 * @returns {Finding[]}
 */
export function findPositionalLiterals(program, { isChecked, isOurs }) {
  const checker = program.getTypeChecker();
  /** @type {Finding[]} */
  const findings = [];
  for (const source of program.getSourceFiles()) {
    if (!isChecked(source.fileName)) continue;
    /** @param {ts.Node} node */
    const visit = (node) => {
      if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
        for (const { at, message, name } of checkCall(node, { checker, source, program, isOurs })) {
          const offset = at.getStart(source);
          const { line, character } = source.getLineAndCharacterOfPosition(offset);
          const missing = name === undefined ? {} : { missing: { offset, comment: `/* ${name} */ ` } };
          findings.push({ file: source.fileName, line: line + 1, column: character + 1, message, ...missing });
        }
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return findings;
}

/**
 * @typedef {{ message: string, name?: string }} Judgement `name` when a missing comment is all that is wrong
 * @typedef {{ checker: ts.TypeChecker, source: ts.SourceFile, program: ts.Program, isOurs: (fileName: string) => boolean }} Context
 */

/**
 * @param {ts.CallExpression | ts.NewExpression} call
 * @param {Context} context
 * @returns {(Judgement & { at: ts.Node })[]}
 */
function checkCall(call, context) {
  if (call.expression.kind === ts.SyntaxKind.ImportKeyword) return [];
  const args = flattenArguments(call.arguments ?? [], context.checker);
  const literals = args.filter(({ expression }) => isBareLiteral(expression));
  if (literals.length === 0) return [];
  const callee = resolveCallee(call, context);
  if (callee.kind === 'exempt') return [];
  return literals.flatMap((argument) => {
    const judgement = checkLiteral(argument, callee, context);
    return judgement === undefined ? [] : [{ ...judgement, at: argument.expression }];
  });
}

/**
 * @param {Argument} argument
 * @param {Exclude<Callee, { kind: 'exempt' }>} callee
 * @param {Context} context
 * @returns {Judgement | undefined}
 */
function checkLiteral({ expression, position }, callee, { checker, source }) {
  const text = expression.getText(source);
  if (callee.kind === 'unresolved') {
    return { message: `${text} is passed to a callee that the type checker can not resolve; give the callee a type` };
  }
  const name = parameterName(callee.signature, position, checker);
  if (name.kind === 'unknown') {
    return { message: `${text} is passed to ${callee.name} ${name.reason}; ${OPTIONS_ADVICE}` };
  }
  const comment = commentBefore(expression, source);
  if (comment === `/* ${name.name} */`) return undefined;
  if (comment !== undefined) {
    return { message: `${comment} does not name the parameter of ${callee.name}; write /* ${name.name} */ ${text}` };
  }
  const advice = `write /* ${name.name} */ ${text}, or ${OPTIONS_ADVICE}`;
  return { message: `${text} is passed to ${callee.name} without a name; ${advice}`, name: name.name };
}

const OPTIONS_ADVICE = 'pass an options object or a named value';

/**
 * Arguments with their positions. The elements of a spread array literal count as arguments, a spread tuple
 * moves the position by its length, and any other spread makes the positions behind it unknown.
 * @param {readonly ts.Expression[]} list
 * @param {ts.TypeChecker} checker
 * @returns {Argument[]}
 */
function flattenArguments(list, checker) {
  /** @type {Argument[]} */
  const flat = [];
  /** @type {number | undefined} */
  let position = 0;
  /** @param {ts.Expression} expression */
  const add = (expression) => {
    if (!ts.isSpreadElement(expression)) {
      flat.push({ expression, position });
      position = position === undefined ? undefined : position + 1;
      return;
    }
    const spread = unwrap(expression.expression);
    if (ts.isArrayLiteralExpression(spread)) {
      for (const element of spread.elements) add(element);
      return;
    }
    const length = fixedTupleLength(checker.getTypeAtLocation(spread), checker);
    position = position === undefined || length === undefined ? undefined : position + length;
  };
  for (const expression of list) add(expression);
  return flat;
}

/**
 * @param {ts.Type} type
 * @param {ts.TypeChecker} checker
 */
function fixedTupleLength(type, checker) {
  if (!checker.isTupleType(type)) return undefined;
  const { target } = /** @type {ts.TupleTypeReference} */ (type);
  return target.elementFlags.every((flag) => flag === ts.ElementFlags.Required)
    ? target.elementFlags.length
    : undefined;
}

/**
 * Parentheses, `as`, `<T>`, `satisfies` and `!` around an expression change nothing about what is passed.
 * @param {ts.Expression} expression
 * @returns {ts.Expression}
 */
function unwrap(expression) {
  const isWrapper =
    ts.isParenthesizedExpression(expression) ||
    ts.isAsExpression(expression) ||
    ts.isTypeAssertionExpression(expression) ||
    ts.isSatisfiesExpression(expression) ||
    ts.isNonNullExpression(expression);
  return isWrapper ? unwrap(expression.expression) : expression;
}

const SIGN_OPERATORS = new Set([
  ts.SyntaxKind.MinusToken,
  ts.SyntaxKind.PlusToken,
  ts.SyntaxKind.TildeToken,
  ts.SyntaxKind.ExclamationToken,
]);

/**
 * @param {ts.Expression} expression
 * @returns {boolean}
 */
function isBareLiteral(expression) {
  const inner = unwrap(expression);
  switch (inner.kind) {
    case ts.SyntaxKind.TrueKeyword:
    case ts.SyntaxKind.FalseKeyword:
    case ts.SyntaxKind.NullKeyword:
    case ts.SyntaxKind.NumericLiteral:
    case ts.SyntaxKind.BigIntLiteral:
      return true;
    default:
  }
  if (ts.isIdentifier(inner)) return inner.text === 'undefined';
  if (ts.isVoidExpression(inner)) return isBareLiteral(inner.expression);
  return ts.isPrefixUnaryExpression(inner) && SIGN_OPERATORS.has(inner.operator) && isBareLiteral(inner.operand);
}

/**
 * @param {ts.CallExpression | ts.NewExpression} call
 * @param {Context} context
 * @returns {Callee}
 */
function resolveCallee(call, { checker, source, program, isOurs }) {
  const signature = checker.getResolvedSignature(call);
  const declaration = signature?.getDeclaration();
  if (signature === undefined || declaration === undefined) return { kind: 'unresolved' };
  const file = declaration.getSourceFile();
  if (program.isSourceFileDefaultLibrary(file) || !isOurs(file.fileName)) return { kind: 'exempt' };
  return { kind: 'ours', name: call.expression.getText(source).split('\n').at(-1)?.trim() ?? '', signature };
}

/**
 * The name of the parameter that takes the argument at `position`.
 * @param {ts.Signature} signature
 * @param {number | undefined} position
 * @param {ts.TypeChecker} checker
 * @returns {{ kind: 'named', name: string } | { kind: 'unknown', reason: string }}
 */
function parameterName(signature, position, checker) {
  const { parameters } = signature;
  const last = parameters.at(-1);
  const hasRest = last !== undefined && isRest(last);
  if (position === undefined) {
    if (hasRest && parameters.length === 1 && tupleOf(last, checker) === undefined) return nameOf(last);
    return { kind: 'unknown', reason: 'behind a spread, where its parameter is not known' };
  }
  if (hasRest && position >= parameters.length - 1) {
    return restElementName(last, position - (parameters.length - 1), checker);
  }
  const parameter = parameters[position];
  return parameter === undefined ? { kind: 'unknown', reason: 'which has no such parameter' } : nameOf(parameter);
}

/** @param {ts.Symbol} parameter */
function isRest(parameter) {
  const declaration = parameter.valueDeclaration;
  if (declaration !== undefined && ts.isParameter(declaration)) return declaration.dotDotDotToken !== undefined;
  return declaration !== undefined && ts.isJSDocParameterTag(declaration)
    ? declaration.typeExpression?.type.kind === ts.SyntaxKind.JSDocVariadicType
    : false;
}

/**
 * @param {ts.Symbol} parameter
 * @param {ts.TypeChecker} checker
 */
function tupleOf(parameter, checker) {
  const type = checker.getTypeOfSymbol(parameter);
  return checker.isTupleType(type) ? /** @type {ts.TupleTypeReference} */ (type).target : undefined;
}

/**
 * Elements of a rest parameter carry its name, or the label when it is a labelled tuple.
 * @param {ts.Symbol} rest
 * @param {number} index
 * @param {ts.TypeChecker} checker
 */
function restElementName(rest, index, checker) {
  const label = tupleOf(rest, checker)?.labeledElementDeclarations?.[index]?.name;
  return label !== undefined && ts.isIdentifier(label)
    ? { kind: /** @type {const} */ ('named'), name: label.text }
    : nameOf(rest);
}

/**
 * @param {ts.Symbol} parameter
 * @returns {{ kind: 'named', name: string } | { kind: 'unknown', reason: string }}
 */
function nameOf(parameter) {
  const declaration = parameter.valueDeclaration;
  if (declaration !== undefined && ts.isParameter(declaration) && !ts.isIdentifier(declaration.name)) {
    return { kind: 'unknown', reason: 'whose parameter is destructured and has no name' };
  }
  return { kind: 'named', name: parameter.name };
}

/**
 * The comment directly before an expression, as written, or `undefined` when there is none.
 * @param {ts.Expression} expression
 * @param {ts.SourceFile} source
 */
function commentBefore(expression, source) {
  const trivia = source.text.slice(expression.getFullStart(), expression.getStart(source));
  const comments = trivia.match(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g) ?? [];
  const last = comments.at(-1);
  return last !== undefined && trivia.trimEnd().endsWith(last) ? last : undefined;
}
