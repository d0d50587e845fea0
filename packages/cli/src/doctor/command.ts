import { homedir } from 'node:os';
import type { CommandResult } from '../end-process.ts';
import { safeLine } from '../exec/safe-text.ts';
import { EXIT } from '../exit-codes.ts';
import { say } from '../say.ts';
import { workingDirectory } from '../working-directory.ts';
import { type DoctorChoices, parseDoctorArguments } from './arguments.ts';
import { type CheckResult, worst } from './check.ts';
import { soon } from './soon.ts';

/** For all checks together, so that the whole run is over within ten seconds. Milliseconds. */
const TIME_LIMIT_MS = 9_000;

/** `quire doctor`. */
export async function doctorCommand(argv: readonly string[]): Promise<CommandResult> {
  const parsed = parseDoctorArguments(argv);
  switch (parsed.kind) {
    case 'help':
      return say('stdout', (await import('./help.ts')).DOCTOR_HELP);
    case 'usage-error':
      tell(parsed.message);
      say('stderr', 'Usage: quire doctor [OPTIONS]; see quire doctor --help\n');
      return { exitCode: EXIT.usage, settled: true };
    case 'examine':
      try {
        workingDirectory(parsed.choices.directory); // which the checks take for granted
      } catch (error) {
        tell(error instanceof Error ? error.message : String(error));
        return { exitCode: EXIT.failed, settled: true };
      }
      return await superviseOrExamine(parsed.choices, argv);
  }
}

/** The child, which has a channel to its parent, does the work. */
async function superviseOrExamine(choices: DoctorChoices, argv: readonly string[]): Promise<CommandResult> {
  const [, script] = process.argv;
  const { runInChild, tellParent } = await import('./supervise.ts');
  if (process.send === undefined && script !== undefined) {
    const exitCode = await runInChild(script, argv);
    if (exitCode === undefined) tell('the checks took too long and were given up: a disk or a resolver seems to hang');
    return { exitCode: exitCode ?? EXIT.failed, settled: true };
  }
  const result = await examine(choices);
  await tellParent({ exitCode: result.exitCode });
  return result;
}

async function examine(choices: DoctorChoices): Promise<CommandResult> {
  const { bundle, json } = choices;
  const { refusalOf, writeBundle } = await import('./bundle-file.ts');
  // Found out before somebody waits for the checks.
  const refusal = bundle === undefined ? undefined : await refusalOf(bundle);
  if (refusal !== undefined) {
    tell(refusal);
    return { exitCode: EXIT.failed, settled: true };
  }
  const [{ Scene }, { runChecks }, { secretsOf }, { createRedactor }] = await Promise.all([
    import('./scene.ts'),
    import('./run-checks.ts'),
    import('./known-secrets.ts'),
    import('@quire/store'),
  ]);
  const signal = AbortSignal.timeout(TIME_LIMIT_MS);
  using scene = new Scene({ choices, environment: process.env, homeDirectory: homedir(), signal });
  const { checks: found, isOver } = await runChecks(scene);
  const redactor = createRedactor(await secretsOf(scene));
  const checks = found.map((check) => mapTexts(check, (text) => redactor.redactText(text)));
  const said = say('stdout', json ? `${await jsonOf(checks)}\n` : await textOf(checks));
  const failed = checks.some(({ verdict }) => verdict === 'failed');
  let exitCode = said.exitCode || (failed ? EXIT.failed : EXIT.completed);
  if (bundle !== undefined) {
    const { collectBundle } = await import('./collect-bundle.ts');
    const text = await soon(collectBundle(scene, { checks, redactor }), scene.signal);
    const problem = text === undefined ? HANGING : await writeBundle(bundle, text);
    if (problem === undefined) say('stderr', `The bundle is in ${safeLine(bundle)}. Look at it before you send it.\n`);
    else tell(problem);
    if (problem !== undefined) exitCode = EXIT.failed;
  }
  return { exitCode, settled: said.settled && isOver };
}

const HANGING = 'the bundle could not be put together in time: a disk or a keyring seems to hang';

function mapTexts(check: CheckResult, change: (text: string) => string): CheckResult {
  const { remedy } = check;
  return {
    ...check,
    summary: change(check.summary),
    details: check.details.map(change),
    ...(remedy === undefined ? {} : { remedy: change(remedy) }),
  };
}

async function jsonOf(checks: readonly CheckResult[]): Promise<string> {
  const { VERSION } = await import('../version.ts');
  return JSON.stringify({ verdict: worst(checks.map(({ verdict }) => verdict)), version: VERSION, checks });
}

async function textOf(checks: readonly CheckResult[]): Promise<string> {
  const [{ createStyle, wantsColor }, { formatChecks, summaryLine }] = await Promise.all([
    import('../exec/style.ts'),
    import('./report-text.ts'),
  ]);
  const isTerminal = process.stdout.isTTY === true;
  const color = wantsColor({ choice: 'auto', isTerminal, environment: process.env });
  const page = { style: createStyle({ color }), width: process.stdout.columns };
  return `${formatChecks(checks, page)}\n${summaryLine(checks)}\n`;
}

function tell(message: string): void {
  say('stderr', `quire: ${safeLine(message)}\n`);
}
