import type { HookedCall } from '../ports/tool-hooks.ts';

const PLAIN = /^[A-Za-z0-9_|]+$/;
const FLAGS = /^\(\?([ims]+)\)/;

/** What hooks written for other programs call the tools of a kind. Source: observed, peer 0.169. */
const KIND_NAMES: Readonly<Partial<Record<HookedCall['kind'], readonly string[]>>> = {
  command: ['Bash'],
  patch: ['apply_patch', 'Edit', 'Write'],
};

/**
 * Whether a call is one that `matcher` means. Empty or `*`: every call. Letters, digits, `_` and `|` only: one of the
 * names. Anything else: a regular expression that is found somewhere in a name. Names are that of the tool, `Bash` for
 * commands, and `apply_patch`, `Edit` and `Write` for patches.
 * @throws SyntaxError for what is no regular expression
 */
export function compileHookMatcher(
  matcher: string,
): (call: Pick<HookedCall, 'tool' | 'kind' | 'carriesPatch'>) => boolean {
  if (matcher === '' || matcher === '*') return () => true;
  const accepts = compileName(matcher);
  return ({ tool, kind, carriesPatch }) => {
    const kinds: readonly HookedCall['kind'][] = carriesPatch === true ? [kind, 'patch'] : [kind];
    return accepts(tool) || kinds.some((each) => (KIND_NAMES[each] ?? []).some(accepts));
  };
}

function compileName(matcher: string): (name: string) => boolean {
  if (PLAIN.test(matcher)) {
    const names = new Set(matcher.split('|'));
    return (name) => names.has(name);
  }
  const flags = FLAGS.exec(matcher);
  const expression = new RegExp(matcher.slice(flags?.[0].length ?? 0), flags?.[1]);
  return (name) => expression.test(name);
}
