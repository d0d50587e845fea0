/** The line of a rules file that allows what begins like this. */
export function allowRuleText(prefix: readonly string[]): string {
  return `prefix_rule(pattern=[${prefix.map(quote).join(', ')}], decision="allow")\n`;
}

/** JSON strings are strings of the language too, but for characters beyond the ASCII that JSON may leave alone. */
function quote(word: string): string {
  return JSON.stringify(word).replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
