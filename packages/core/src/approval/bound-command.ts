import type { Command, CommandRunner, Confinement } from '../ports/command-runner.ts';

type Unconfined<Kind> = Kind extends Command ? Omit<Kind, 'confinement'> : never;

/** A command in the two forms that have to be one: what is decided about and shown, and what is run. */
export interface BoundCommand<Kind extends Command> {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The command to run. Throws when it would not be `argv`. */
  confined(confinement: Confinement): Kind;
}

/** Copies a command, so that what a person was shown is what runs, whatever happens to the original. */
export function bindCommand<Kind extends Command>(
  runner: Pick<CommandRunner, 'argv'>,
  command: Unconfined<Kind>,
): BoundCommand<Kind> {
  const { environment = {} } = command;
  const copy = { ...command, environment: Object.freeze({ ...environment }) };
  const build = (confinement: Confinement): Kind => {
    const listed = 'argv' in copy ? { argv: [...copy.argv] } : {};
    return { ...copy, ...listed, confinement } as unknown as Kind; // what was taken out of its type is put back
  };
  const argv = Object.freeze([...runner.argv(build({ kind: 'none' }))]);
  return {
    argv,
    cwd: copy.cwd,
    environment: copy.environment,
    confined: (confinement) => {
      const confined = build(confinement);
      if (JSON.stringify(runner.argv(confined)) === JSON.stringify(argv)) return confined;
      throw new Error('the command to run is not the one that was decided about');
    },
  };
}
