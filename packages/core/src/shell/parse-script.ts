import { decodeAnsiQuoted } from './ansi-quotes.ts';
import { expandBraces } from './expand-braces.ts';
import { CommandDraft, finishCommand, type ParsedCommand, type Script } from './script-command.ts';
import { DraftWord, type FinishedWord } from './script-word.ts';

/** How deep substitutions in substitutions are told apart. Deeper ones are read as commands that follow each other. */
const MAX_DEPTH = 40;
/**
 * Every command of a POSIX shell script (with what bash and zsh add), wherever it stands. Reads anything: what it does
 * not understand it takes for words, so it may find commands that the shell would not run. Takes linear time.
 *
 * What only the shell can know is not known here: results of commands, files that match a pattern, variables that the
 * script itself did not set. For a verdict that a script is harmless use `splitCommand`, which refuses all of that.
 */
export function parseScript(script: string): readonly ParsedCommand[] {
  const commands: ParsedCommand[] = [];
  new ScriptReader(script, { commands, variables: new Map(), depth: 0 }).readCommands();
  return commands;
}

interface Surroundings extends Script {
  readonly depth: number;
}

interface PendingHeredoc {
  readonly delimiter: string;
  readonly isQuoted: boolean;
  readonly stripsTabs: boolean;
  readonly command: CommandDraft;
}

class ScriptReader {
  readonly #text: string;
  readonly #around: Surroundings;
  #index = 0;
  #word: DraftWord | undefined;
  #words: FinishedWord[] = [];
  #command = new CommandDraft();
  #heredocs: PendingHeredoc[] = [];
  #openBraces = 0;
  /** What the next word is for, when it is no word of the command. */
  #target: 'none' | 'file' | 'text' | { readonly stripsTabs: boolean } = 'none';

  constructor(text: string, around: Surroundings) {
    this.#text = text;
    this.#around = around;
  }

  /** To the end, or behind the bracket that ends a substitution; returns where that is. */
  readCommands(options: { readonly endsAtBracket?: boolean; readonly from?: number } = {}): number {
    this.#index = options.from ?? 0;
    let open = 0;
    while (this.#index < this.#text.length) {
      const character = this.#text.charAt(this.#index);
      if (character === ')' && options.endsAtBracket === true && open === 0) break;
      if (character === '(') open += 1;
      if (character === ')') open -= 1;
      this.#readOne(character);
    }
    this.#endCommand('end');
    return this.#index + 1;
  }

  /** Only for what runs inside of a text that is no script: the body of a heredoc. */
  readExpansions(): void {
    while (this.#index < this.#text.length) {
      const character = this.#text.charAt(this.#index);
      if (character === '\\') this.#index += 2;
      else if (character === '$' || character === '`') this.#readExpansion({ isQuoted: true });
      else this.#index += 1;
    }
  }

  #readOne(character: string): void {
    if (character === "'" || character === '"') this.#readQuoted(character);
    else if (character === '\\') this.#readEscape();
    else if (character === '$' || character === '`') this.#readExpansion({ isQuoted: false });
    else if (/\s/.test(character) && character !== '\n') {
      this.#endWord();
      this.#index += 1;
    } else if (character === '#' && this.#word === undefined) this.#skipComment();
    else if ('<>'.includes(character)) this.#readRedirection();
    else if (';|&\n()'.includes(character)) this.#readOperator(character);
    else {
      const draft = this.#draft();
      draft.add(character, 'u');
      if ('*?['.includes(character)) draft.isKnown = false;
      this.#index += 1;
    }
  }

  #draft(): DraftWord {
    this.#word ??= new DraftWord();
    return this.#word;
  }

  #skipComment(): void {
    const end = this.#text.indexOf('\n', this.#index);
    this.#index = end === -1 ? this.#text.length : end;
  }

  #readEscape(): void {
    const escaped = this.#text.charAt(this.#index + 1);
    if (escaped !== '\n') {
      this.#draft().add(escaped, 'q');
      this.#draft().isQuoted = true;
    }
    this.#index += 2;
  }

  #readQuoted(quote: string): void {
    const draft = this.#draft();
    draft.isQuoted = true;
    this.#index += 1;
    if (quote === "'") {
      const close = this.#text.indexOf("'", this.#index);
      const end = close === -1 ? this.#text.length : close;
      draft.add(this.#text.slice(this.#index, end), 'q');
      this.#index = end + 1;
      return;
    }
    while (this.#index < this.#text.length) {
      const character = this.#text.charAt(this.#index);
      if (character === '"') break;
      if (character === '$' || character === '`') {
        this.#readExpansion({ isQuoted: true });
        continue;
      }
      const escaped = character === '\\' ? this.#text.charAt(this.#index + 1) : '';
      if (escaped !== '' && '"\\$`\n'.includes(escaped)) {
        if (escaped !== '\n') this.#draft().add(escaped, 'q');
        this.#index += 2;
      } else {
        this.#draft().add(character, 'q');
        this.#index += 1;
      }
    }
    this.#index += 1;
  }

  #readExpansion({ isQuoted }: { readonly isQuoted: boolean }): void {
    const rest = this.#text.slice(this.#index, this.#index + 2);
    if (rest.startsWith('`')) this.#readBackticks();
    else if (rest === '$(') this.#readSubstitution(/* opening */ 2);
    else if (rest === '${') this.#readBraced({ isQuoted });
    else if (rest === "$'" && !isQuoted) {
      const quoted = decodeAnsiQuoted(this.#text, this.#index + 2);
      this.#draft().add(quoted.text, 'q');
      this.#draft().isQuoted = true;
      this.#index = quoted.end;
    } else if (rest === '$"' && !isQuoted) this.#index += 1;
    else this.#readVariable({ isQuoted });
  }

  #readVariable(options: { readonly isQuoted: boolean }): void {
    const name = /^(?:[A-Za-z_]\w*|[0-9@*#?$!-])/.exec(this.#text.slice(this.#index + 1, this.#index + 65))?.[0];
    this.#index += 1 + (name?.length ?? 0);
    if (name === undefined) this.#draft().add('$', 'q');
    else this.#addVariable(name, options);
  }

  #addVariable(name: string, options: { readonly isQuoted: boolean; readonly otherwise?: string }): void {
    const draft = this.#draft();
    const value = name === 'IFS' ? ' ' : (this.#around.variables.get(name) ?? options.otherwise);
    // Positional parameters of a script given with -c are empty.
    if (value === undefined) draft.isKnown &&= /^[0-9@*]$/.test(name);
    else if (options.isQuoted) draft.add(value, 'q');
    else draft.addSplit(value);
  }

  /** `${name}`, `${name:-other}` and everything else in such brackets; substitutions in it are commands like any. */
  #readBraced({ isQuoted }: { readonly isQuoted: boolean }): void {
    const header = /^\$\{([A-Za-z_]\w*|[0-9@*])(:?[-=])?/.exec(this.#text.slice(this.#index, this.#index + 80));
    this.#index += header?.[0].length ?? 2;
    if (this.#openBraces >= MAX_DEPTH) {
      this.#draft().isKnown = false;
      return;
    }
    this.#openBraces += 1;
    const outer = this.#word;
    const inner = new DraftWord();
    this.#word = inner;
    while (this.#index < this.#text.length && this.#text.charAt(this.#index) !== '}') {
      const character = this.#text.charAt(this.#index);
      if (character === "'" || character === '"') this.#readQuoted(character);
      else if (character === '\\') this.#readEscape();
      else if (character === '$' || character === '`') this.#readExpansion({ isQuoted: true });
      else {
        inner.add(character, 'q');
        this.#index += 1;
      }
    }
    this.#index += 1;
    this.#openBraces -= 1;
    this.#word = outer;
    const name = header?.[1];
    if (name === undefined || (header?.[2] === undefined && inner.text !== '')) this.#draft().isKnown = false;
    else this.#addVariable(name, { isQuoted, ...(header?.[2] === undefined ? {} : { otherwise: inner.text }) });
  }

  #readBackticks(): void {
    let inner = '';
    let index = this.#index + 1;
    for (; index < this.#text.length && this.#text.charAt(index) !== '`'; index += 1) {
      const isEscape = this.#text.charAt(index) === '\\' && '`\\$'.includes(this.#text.charAt(index + 1) || ' ');
      if (isEscape) index += 1;
      inner += this.#text.charAt(index);
    }
    this.#index = index + 1;
    this.#draft().isKnown = false;
    if (this.#around.depth >= MAX_DEPTH) return;
    new ScriptReader(inner, this.#deeper()).readCommands();
  }

  /** Also `<(…)` and `>(…)`. Arithmetic is read the same way: its words are no commands that anybody asks about. */
  #readSubstitution(opening: number): void {
    if (this.#around.depth >= MAX_DEPTH) {
      this.#index += opening;
      this.#endCommand('end');
      return;
    }
    this.#draft().isKnown = false;
    const reader = new ScriptReader(this.#text, this.#deeper());
    this.#index = reader.readCommands({ endsAtBracket: true, from: this.#index + opening });
  }

  #deeper(): Surroundings {
    return { ...this.#around, depth: this.#around.depth + 1 };
  }

  #readRedirection(): void {
    const operator = /^(?:<<<|<<-|<<|<>|>>|>\||[<>]&|[<>])/.exec(this.#text.slice(this.#index, this.#index + 3))?.[0];
    if (operator !== undefined && operator.length === 1 && this.#text.charAt(this.#index + 1) === '(') {
      this.#readSubstitution(/* opening */ 2);
      return;
    }
    // The number of a descriptor is no argument.
    if (this.#word !== undefined && !this.#word.isQuoted && /^\d+$/.test(this.#word.text)) this.#word = undefined;
    this.#endWord();
    this.#index += operator?.length ?? 1;
    this.#target = operator === '<<<' ? 'text' : 'file';
    if (operator === '<<' || operator === '<<-') this.#target = { stripsTabs: operator === '<<-' };
  }

  #readOperator(character: string): void {
    this.#index += 1;
    if (character === '&' && this.#text.charAt(this.#index) === '>') {
      this.#endWord();
      return;
    }
    const isOr = character === '|' && this.#text.charAt(this.#index) === '|';
    this.#endCommand(character === '|' && !isOr ? 'pipe' : 'end');
    if (isOr || (character === '|' && this.#text.charAt(this.#index) === '&')) this.#index += 1;
    if (character === '\n') this.#readHeredocs();
  }

  #readHeredocs(): void {
    const pending = this.#heredocs;
    this.#heredocs = [];
    for (const heredoc of pending) {
      const lines: string[] = [];
      while (this.#index < this.#text.length) {
        const newline = this.#text.indexOf('\n', this.#index);
        const end = newline === -1 ? this.#text.length : newline;
        const line = this.#text.slice(this.#index, end);
        this.#index = end + 1;
        const stripped = heredoc.stripsTabs ? line.replace(/^\t+/, '') : line;
        if (stripped === heredoc.delimiter) break;
        lines.push(stripped);
      }
      const body = lines.join('\n');
      heredoc.command.input = body;
      if (!heredoc.isQuoted && this.#around.depth < MAX_DEPTH) new ScriptReader(body, this.#deeper()).readExpansions();
    }
  }

  #endWord(): void {
    const draft = this.#word;
    this.#word = undefined;
    if (draft === undefined) return;
    const target = this.#target;
    this.#target = 'none';
    if (target === 'file') return;
    if (target === 'text') {
      this.#command.input = draft.text;
      return;
    }
    if (target !== 'none') {
      const { stripsTabs } = target;
      const heredoc = { delimiter: draft.text, isQuoted: draft.isQuoted, stripsTabs, command: this.#command };
      this.#heredocs.push(heredoc);
      return;
    }
    if (!draft.isQuoted && (draft.text === '{' || draft.text === '}')) {
      this.#endCommand('end');
      return;
    }
    for (const text of expandBraces(draft)) {
      this.#words.push({ text, isKnown: draft.isKnown, isQuoted: draft.isQuoted });
    }
  }

  #endCommand(how: 'pipe' | 'end'): void {
    this.#endWord();
    this.#target = 'none';
    const command = this.#command;
    const ran = finishCommand(command, this.#words, this.#around);
    this.#words = [];
    this.#command = new CommandDraft(how === 'pipe' && ran ? command : undefined);
  }
}
