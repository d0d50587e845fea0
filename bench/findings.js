/** Results that are no times of whole runs. */

/** @typedef {{ measure: string, value: string, target: string }} Finding */

/** A Markdown table. @param {readonly Finding[]} findings */
export function formatFindings(findings) {
  const lines = findings.map(({ measure, value, target }) => `| ${measure} | ${value} | ${target} |`);
  return ['| measure | value | target |', '|---|---|---|', ...lines].join('\n');
}
