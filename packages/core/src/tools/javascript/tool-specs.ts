import type { ToolSpec } from '@quire/protocol';

/** The first line may set a time limit; what follows begins neither like JSON nor like a code fence. */
const GRAMMAR = `start: limited_cell | CELL
limited_cell: PRAGMA LINE_END CELL

PRAGMA: /[ \\t]*\\/\\/ codex-js-repl:[^\\r\\n]*/
LINE_END: /\\r?\\n/
CELL: /\\s*([^\\s{"\`]|\`[^\`]|\`\`[^\`])[\\s\\S]*/
`;

const DESCRIPTION = `Runs JavaScript in a Node.js kernel that stays alive between calls: what one call declares at the top level, the next one can use. The input is the code itself, not JSON and not Markdown.

- \`await\` stands at the top level. Load modules with \`await import("name")\`: packages, \`node:\` modules but for process, child_process and worker_threads, and local .js or .mjs files by a path that begins with \`./\`.
- You see what is printed with \`console.log\`, and errors; the value of the last line is not shown.
- \`await codex.tool(name, args)\` calls another of your tools and gives back its output item; args is an object, or a string for a tool that takes free text.
- \`await codex.emitImage(x)\` shows you a picture: a data URL, bytes, \`{ bytes, mimeType }\` or the output item of a tool.
- \`codex.tmpDir\` is a folder for scratch files.
- The time limit is 30 seconds; a first line \`// codex-js-repl: timeout_ms=60000\` changes it. A cell over its limit, an unhandled rejection or js_repl_reset ends the kernel, and what was declared is gone.`;

export const javaScriptToolSpec: ToolSpec = {
  type: 'custom',
  name: 'js_repl',
  description: DESCRIPTION,
  format: { type: 'grammar', syntax: 'lark', definition: GRAMMAR },
};

export const javaScriptResetToolSpec: ToolSpec = {
  type: 'function',
  name: 'js_repl_reset',
  description: 'Ends the kernel of js_repl. The next call starts a fresh one, without anything declared so far.',
  strict: false,
  parameters: { type: 'object', properties: {}, additionalProperties: false },
};

/** For the instructions of a thread that has `js_repl`. */
export function javaScriptGuidance(options: { readonly originalImages: boolean }): string {
  const images = options.originalImages
    ? ' Pictures made for looking at are best encoded as JPEG at quality 85 and emitted with `detail: "original"`.'
    : '';
  return `## JavaScript

Use \`js_repl\` for calculations, for transforming data and for calling several tools in one go with \`codex.tool\`. Print what you need and no more. A name may be declared again in a later call. Local files are read with \`node:fs\`; programs are run with your command tool through \`codex.tool\`.${images}`;
}
