/** The positional-literal rule over the repository; `--write` inserts the comments that are missing. */
import { parseToolArguments, reportResult } from './lib/tool.js';
import { checkLiterals, writeMissingNames } from './lint/check-literals.js';

const { root, flags } = parseToolArguments(process.argv.slice(2), ['write']);
if (flags.has('write')) process.stdout.write(`${await writeMissingNames(root)} names written\n`);
reportResult('literals', await checkLiterals(root));
