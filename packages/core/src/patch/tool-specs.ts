import type { ToolSpec } from '@quire/protocol';

const NAME = 'apply_patch';

const GRAMMAR = `start: begin file+ end
begin: "*** Begin Patch" LF
end: "*** End Patch" LF?

file: add | delete | update
add: "*** Add File: " path LF added*
delete: "*** Delete File: " path LF
update: "*** Update File: " path LF move? chunk+
move: "*** Move to: " path LF

chunk: marker line+ end_of_file?
marker: ("@@" | "@@ " /(.+)/) LF
line: ("+" | "-" | " ") /(.*)/ LF
added: "+" /(.*)/ LF
end_of_file: "*** End of File" LF

path: /(.+)/

%import common.LF
`;

const PURPOSE =
  'Adds, changes, moves and deletes text files from one patch. Nothing is written unless the whole patch fits.';

const FORMAT = `A patch is a block of lines:

*** Begin Patch
[one or more file sections]
*** End Patch

File sections:

*** Add File: <path>       every following line is "+" and a line of the new file; an existing file is replaced
*** Delete File: <path>    no further lines
*** Update File: <path>    followed by chunks; put "*** Move to: <new path>" right below it to rename the file

A chunk starts with a line "@@". Each line after it begins with " " (stays), "-" (goes) or "+" (comes). Give about three unchanged lines around a change. If they occur more than once in the file, name a line further up, such as the head of the function, on the marker: "@@ def parse(text):". Chunks stand in the order of the file. End a chunk with "*** End of File" when its lines are the last ones of the file.

Paths are relative to the working directory.

Example:

*** Begin Patch
*** Update File: src/price.py
*** Move to: src/pricing.py
@@ def total(items):
     amount = 0
     for item in items:
-        amount += item.price
+        amount += item.price * item.count
     return amount
*** Add File: docs/pricing.md
+# Pricing
+Counts are part of the total.
*** Delete File: docs/old-notes.md
*** End Patch`;

/** The patch tool for models that write free text constrained by a grammar. */
export const freeformPatchTool: ToolSpec = {
  type: 'custom',
  name: NAME,
  description: `${PURPOSE} The input is the patch itself, not JSON.`,
  format: { type: 'grammar', syntax: 'lark', definition: GRAMMAR },
};

/** The patch tool for models that call functions only; its description teaches the format. */
export const functionPatchTool: ToolSpec = {
  type: 'function',
  name: NAME,
  description: `${PURPOSE}\n\n${FORMAT}`,
  strict: false,
  parameters: {
    type: 'object',
    properties: { input: { type: 'string', description: 'The whole patch, from its begin to its end line.' } },
    required: ['input'],
    additionalProperties: false,
  },
};
