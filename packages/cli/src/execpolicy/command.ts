import { homedir } from 'node:os';
import type { CommandResult } from '../end-process.ts';
import { safeLine } from '../exec/safe-text.ts';
import { systemReason } from '../exec/setup-error.ts';
import { EXIT } from '../exit-codes.ts';
import { say } from '../say.ts';
import { workingDirectoryOr } from '../working-directory.ts';
import { type ExecPolicyArguments, parseExecPolicyArguments } from './arguments.ts';

const HELP = `Say what the rules for commands decide about a command. Nothing is run.

Usage: quire execpolicy check [OPTIONS] [--] COMMAND [ARGUMENT]...

  -r, --rules FILE                 Rules file; may be given more than once. Default: rules/*.rules of the home folder,
                                   and the rules of the machine's administrator
      --pretty                     JSON over several lines
      --resolve-host-executables   Let an absolute path stand for a rule with a bare program name, as in a session
  -h, --help                       Show this text

Prints JSON: {"matchedRules":[{"prefixRuleMatch":{"matchedPrefix":[...],"decision":"allow"}}],"decision":"allow"}.
The strictest of all rules that match decides: forbidden, prompt, allow. No "decision": no rule matches.
The words are taken as they are; a script for a shell is not split.

Exit codes: 0 when the answer was printed, 1 when a rules file can not be used, 2 for wrong usage.
`;

/** `quire execpolicy`. */
export async function execPolicyCommand(argv: readonly string[]): Promise<CommandResult> {
  const parsed = parseExecPolicyArguments(argv);
  if (parsed.kind === 'help') return say('stdout', HELP);
  if (parsed.kind === 'usage-error') {
    say(
      'stderr',
      `quire: ${safeLine(parsed.message)}\nUsage: quire execpolicy check [OPTIONS] COMMAND; see quire execpolicy --help\n`,
    );
    return { exitCode: EXIT.usage, settled: true };
  }
  try {
    return say('stdout', await check(parsed.arguments));
  } catch (error) {
    say('stderr', `quire: ${safeLine(systemReason(error))}\n`);
    return { exitCode: EXIT.failed, settled: true };
  }
}

async function check({ files, words, pretty, resolvesPaths }: ExecPolicyArguments): Promise<string> {
  const { checkRules, loadConfig, resolveHome } = await import('@quire/store');
  const environment = process.env;
  const home = files.length > 0 ? '' : resolveHome({ environment, homeDirectory: homedir() });
  const requirements =
    files.length > 0
      ? undefined
      : (await loadConfig({ home, cwd: workingDirectoryOr(home), overrides: [], environment })).requirements;
  const answer = await checkRules({ words, files, home, managed: requirements?.rules ?? [], resolvesPaths });
  return `${pretty ? JSON.stringify(answer, undefined, /* indent */ 2) : JSON.stringify(answer)}\n`;
}
