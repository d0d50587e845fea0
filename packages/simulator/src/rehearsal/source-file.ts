/** A source file as the repair sees it. */
export interface SourceFile {
  readonly path: string;
  readonly lines: readonly string[];
  /** The lines with comments and the inside of string literals blanked out, same lengths. */
  readonly code: readonly string[];
  readonly functions: readonly FunctionSpan[];
}

export interface FunctionSpan {
  readonly name: string;
  /** From 0, inclusive. */
  readonly firstLine: number;
  readonly lastLine: number;
}

export function readSource(path: string, text: string): SourceFile {
  const lines = text.replace(/\n$/, '').split('\n');
  const code = blankLiterals(text.replace(/\n$/, '')).split('\n');
  return { path, lines, code, functions: findFunctions(code) };
}

/** Quotes stay, so that a literal's place is still seen; code inside `${}` stays too. */
function blankLiterals(text: string): string {
  let blanked = '';
  let mode: "'" | '"' | '`' | '//' | '/*' | undefined;
  const templates: number[] = []; // depth of braces inside each open `${`
  for (let index = 0; index < text.length; index += 1) {
    const char = text[index] ?? '';
    const two = text.slice(index, index + 2);
    if (mode === undefined) {
      if (two === '//' || two === '/*') mode = two;
      else if (char === "'" || char === '"' || char === '`') mode = char;
      else if (templates.length > 0 && char === '{') templates.push((templates.pop() ?? 0) + 1);
      else if (templates.length > 0 && char === '}') {
        const depth = templates.pop() ?? 0;
        if (depth === 0) mode = '`';
        else templates.push(depth - 1);
      }
      blanked += mode === '//' || mode === '/*' ? ' ' : char;
    } else if (char === '\n') {
      if (mode === '//') mode = undefined;
      blanked += '\n';
    } else if (mode === '/*' && two === '*/') {
      mode = undefined;
      blanked += '  ';
      index += 1;
    } else if (mode === '`' && two === '${') {
      mode = undefined;
      templates.push(0);
      blanked += '${';
      index += 1;
    } else if (char === '\\' && mode !== '//' && mode !== '/*') {
      blanked += '  '.slice(0, Math.min(2, text.length - index));
      index += 1;
    } else if (char === mode) {
      blanked += char;
      mode = undefined;
    } else blanked += ' ';
  }
  return blanked;
}

const FUNCTION_START =
  /(?:function\*?\s+([A-Za-z_$][\w$]*)\s*\(|(?:const|let)\s+([A-Za-z_$][\w$]*)\s*=\s*(?:async\s*)?(?:\([^)]*\)|[\w$]+)\s*=>)/;

function findFunctions(code: readonly string[]): readonly FunctionSpan[] {
  return code.flatMap((line, firstLine) => {
    const match = FUNCTION_START.exec(line);
    const name = match?.[1] ?? match?.[2];
    return name === undefined ? [] : [{ name, firstLine, lastLine: endOfBlock(code, firstLine) }];
  });
}

function endOfBlock(code: readonly string[], firstLine: number): number {
  let depth = 0;
  for (let index = firstLine; index < code.length; index += 1) {
    for (const char of code[index] ?? '') {
      if (char === '{' || char === '(') depth += 1;
      else if (char === '}' || char === ')') depth -= 1;
    }
    if (depth <= 0) return index;
  }
  return code.length - 1;
}
