/** A program for tests: allows the same rules as its brothers do, and one of its own. */
import { createCommandRules } from '../../src/index.ts';

const [, , home = '', name = ''] = process.argv;
const rules = createCommandRules({ home, onWarning: () => undefined });
for (let index = 0; index < 10; index += 1) await rules.allow(['shared', String(index)]);
await rules.allow(['own', name]);
