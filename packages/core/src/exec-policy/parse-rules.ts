import type { RuleDecision } from '../ports/command-rules.ts';
import { type RulesArgument, type RulesCall, type RulesValue, readCalls } from './read-calls.ts';
import { matchRules, type NetworkRule, NO_RULES, type PrefixRule, type RuleSet } from './rule-set.ts';
import { RulesError, type RulesPlace } from './rules-error.ts';
import { splitWords } from './split-words.ts';

const DECISIONS: readonly RuleDecision[] = ['allow', 'prompt', 'forbidden'];
const PROTOCOLS: readonly NetworkRule['protocol'][] = ['http', 'https', 'socks5_tcp', 'socks5_udp'];

interface Draft {
  readonly prefixRules: PrefixRule[];
  readonly hostExecutables: Map<string, readonly string[]>;
  readonly networkRules: NetworkRule[];
}

/** Parameters in the order in which they can be given without a name. Source: the peer, 0.169. */
const FUNCTIONS: Readonly<
  Record<string, { readonly parameters: readonly string[]; readonly add: (draft: Draft, given: Given) => void }>
> = {
  prefix_rule: { parameters: ['pattern', 'decision', 'match', 'not_match', 'justification'], add: addPrefixRule },
  host_executable: { parameters: ['name', 'paths'], add: addHostExecutable },
  network_rule: { parameters: ['host', 'protocol', 'decision', 'justification'], add: addNetworkRule },
};

/**
 * Reads a rules file: calls of `prefix_rule`, `host_executable` and `network_rule`. Examples of rules are checked.
 * @param source what errors call it, such as its path
 * @throws RulesError
 */
export function parseRules(text: string, options: { readonly source: string }): RuleSet {
  const draft: Draft = { prefixRules: [], hostExecutables: new Map(), networkRules: [] };
  for (const call of readCalls(text, options.source)) {
    const known = Object.hasOwn(FUNCTIONS, call.name) ? FUNCTIONS[call.name] : undefined;
    if (known === undefined) {
      const names = Object.keys(FUNCTIONS).join(', ');
      throw new RulesError('syntax', `there is no function ${call.name}; use one of ${names}`, call.place);
    }
    known.add(draft, new Given(call, known.parameters));
  }
  return draft;
}

/** The arguments of one call. */
class Given {
  readonly place: RulesPlace;
  readonly #call: RulesCall;
  readonly #values = new Map<string, RulesValue>();

  constructor(call: RulesCall, parameters: readonly string[]) {
    this.#call = call;
    this.place = call.place;
    for (const [index, argument] of call.arguments.entries()) {
      const name = argument.name ?? parameters[index];
      if (name === undefined || !parameters.includes(name)) throw surplus(call, argument, parameters);
      if (this.#values.has(name)) {
        throw new RulesError('invalid-rule', `the argument ${name} is given twice; keep one`, argument.place);
      }
      this.#values.set(name, argument.value);
    }
  }

  value(name: string): RulesValue | undefined {
    return this.#values.get(name);
  }

  required(name: string): RulesValue {
    const value = this.#values.get(name);
    if (value !== undefined) return value;
    throw new RulesError('invalid-rule', `${this.#call.name} needs the argument ${name}; add it`, this.place);
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    if (value.kind !== 'string') throw invalid(value, `${name} must be a string, found ${kindOf(value)}`);
    if (value.text.trim() === '') throw invalid(value, `${name} must not be empty; leave it out instead`);
    return value.text;
  }

  list(name: string): readonly RulesValue[] | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    if (value.kind === 'list') return value.items;
    throw invalid(value, `${name} must be a list, found ${kindOf(value)}; put it in square brackets`);
  }

  oneOf<const Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const choice = choices.find((candidate) => candidate === text);
    if (choice !== undefined) return choice;
    throw invalid(this.required(name), `${name} must be one of ${choices.join(', ')}, found ${JSON.stringify(text)}`);
  }
}

function addPrefixRule(draft: Draft, given: Given): void {
  given.required('pattern');
  const items = given.list('pattern') ?? [];
  if (items.length === 0) throw invalid(given.required('pattern'), 'pattern must not be empty; name a program');
  const rule: PrefixRule = {
    pattern: items.map(readChoices),
    decision: given.oneOf('decision', DECISIONS) ?? 'allow',
    justification: given.text('justification'),
  };
  checkExamples(rule, given);
  draft.prefixRules.push(rule);
}

/** A word, or the words that may stand there. */
function readChoices(item: RulesValue): readonly string[] {
  if (item.kind === 'string') return [item.text];
  if (item.kind !== 'list') throw invalid(item, `pattern takes strings and lists of strings, found ${kindOf(item)}`);
  if (item.items.length === 0) throw invalid(item, 'a list of alternatives must not be empty; name at least one word');
  return item.items.map((choice) => {
    if (choice.kind === 'string') return choice.text;
    throw invalid(choice, `alternatives must be strings, found ${kindOf(choice)}`);
  });
}

function checkExamples(rule: PrefixRule, given: Given): void {
  const alone: RuleSet = { ...NO_RULES, prefixRules: [{ ...rule, decision: 'prompt' }] };
  for (const [name, expected] of [
    ['match', true],
    ['not_match', false],
  ] as const) {
    for (const example of given.list(name) ?? []) {
      const words = readExample(example);
      if (matchRules(alone, words).length > 0 === expected) continue;
      const problem = expected ? 'is not matched by its rule' : 'is matched by its rule';
      throw new RulesError(
        'example',
        `the ${name} example ${JSON.stringify(words.join(' '))} ${problem}; change the pattern or the example`,
        example.place,
      );
    }
  }
}

function readExample(example: RulesValue): readonly string[] {
  if (example.kind === 'list') {
    if (example.items.length === 0) throw invalid(example, 'an example must not be empty');
    return example.items.map((word) => {
      if (word.kind === 'string') return word.text;
      throw invalid(word, `the words of an example must be strings, found ${kindOf(word)}`);
    });
  }
  if (example.kind !== 'string')
    throw invalid(example, `an example must be a string or a list, found ${kindOf(example)}`);
  const words = splitWords(example.text);
  if (words === undefined) throw invalid(example, 'a quote of the example is not closed; close it or use a list');
  if (words.length === 0) throw invalid(example, 'an example must not be empty');
  return words;
}

function addHostExecutable(draft: Draft, given: Given): void {
  const value = given.required('name');
  const name = given.text('name') ?? '';
  if (name.includes('/'))
    throw invalid(value, `name must be a file name without a folder, found ${JSON.stringify(name)}`);
  given.required('paths');
  const paths = (given.list('paths') ?? []).map((path) => {
    if (path.kind !== 'string') throw invalid(path, `paths must be strings, found ${kindOf(path)}`);
    if (!path.text.startsWith('/')) throw invalid(path, `paths must be absolute, found ${JSON.stringify(path.text)}`);
    if (path.text.slice(path.text.lastIndexOf('/') + 1) === name) return path.text;
    throw invalid(path, `the path ${JSON.stringify(path.text)} must end with /${name}`);
  });
  draft.hostExecutables.set(name, [...new Set([...(draft.hostExecutables.get(name) ?? []), ...paths])]);
}

function addNetworkRule(draft: Draft, given: Given): void {
  for (const name of ['host', 'protocol', 'decision']) given.required(name);
  const host = given.text('host') ?? '';
  if (host.includes('*')) throw invalid(given.required('host'), 'host must be one host; wildcards are not allowed');
  if (!/^[\w.:[\]-]+$/.test(host)) {
    throw invalid(given.required('host'), 'host must be a host name or an address, without scheme, port or path');
  }
  const protocol = given.oneOf('protocol', PROTOCOLS) ?? 'https';
  const word = given.oneOf('decision', [...DECISIONS, 'deny']) ?? 'forbidden';
  const decision = word === 'deny' ? 'forbidden' : word;
  draft.networkRules.push({ host: host.toLowerCase(), protocol, decision, justification: given.text('justification') });
}

function surplus(call: RulesCall, argument: RulesArgument, parameters: readonly string[]): RulesError {
  const what = argument.name === undefined ? 'has too many arguments' : `has no argument ${argument.name}`;
  return new RulesError('invalid-rule', `${call.name} ${what}; it takes ${parameters.join(', ')}`, argument.place);
}

function invalid(value: RulesValue, problem: string): RulesError {
  return new RulesError('invalid-rule', problem, value.place);
}

function kindOf({ kind }: RulesValue): string {
  return kind === 'none' ? 'None' : `a ${kind}`;
}
