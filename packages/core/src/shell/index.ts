export { type CommandReading, readCommand } from './command-reading.ts';
export { isDangerousArgv, isDangerousCommand } from './dangerous-command.ts';
export { isKnownSafeArgv, isKnownSafeCommand, isSafeCommand } from './known-safe.ts';
export { quoteArgv } from './quote-argv.ts';
export { reachableCommands } from './reachable-commands.ts';
export { type SimpleCommand, splitCommand } from './split-command.ts';
