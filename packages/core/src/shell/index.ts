export { isDangerousArgv, isDangerousCommand } from './dangerous-command.ts';
export { isKnownSafeArgv, isKnownSafeCommand } from './known-safe.ts';
export { quoteArgv } from './quote-argv.ts';
export { splitCommand } from './split-command.ts';
