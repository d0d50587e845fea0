/** Whether one of the patterns is the name of the variable: `*` is any text, `?` any character, case does not matter. */
export function fitsOne(name: string, patterns: readonly string[]): boolean {
  if (patterns.length === 0) return false;
  const characters = [...name.toLowerCase()];
  return patterns.some((pattern) => fits(characters, [...pattern.toLowerCase()]));
}

/** Goes back to the last star only, so that no pattern takes long. */
function fits(name: readonly string[], pattern: readonly string[]): boolean {
  let at = 0;
  let patternAt = 0;
  let star: { readonly patternAt: number; nameAt: number } | undefined;
  while (at < name.length) {
    const expected = pattern[patternAt];
    if (expected === '*') {
      patternAt += 1;
      star = { patternAt, nameAt: at };
    } else if (expected === '?' || expected === name[at]) {
      at += 1;
      patternAt += 1;
    } else if (star !== undefined) {
      star.nameAt += 1;
      at = star.nameAt;
      patternAt = star.patternAt;
    } else {
      return false;
    }
  }
  return pattern.slice(patternAt).every((character) => character === '*');
}
