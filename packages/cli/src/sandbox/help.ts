export const SANDBOX_HELP = `Run a command confined as a command of the agent would be.

Usage: quire sandbox [OPTIONS] [--] COMMAND [ARGUMENT]...

  -s, --sandbox MODE         read-only, workspace-write or danger-full-access; by default what is configured
  -C, --cd DIR               Working directory
      --add-dir DIR          A further folder that may be written; may be given more than once
  -c, --config KEY=VALUE     Override a setting; may be given more than once
  -p, --profile NAME         Use a profile of the configuration
      --enable FEATURE       Switch a feature on, or off with --disable; may be given more than once
      --ignore-user-config   Leave config.toml of the home folder unread
      --backend NAME         bubblewrap, landlock or seatbelt; by default the strongest that works
  -h, --help                 Show this text

The command has the standard input, output and error of quire, and quire exits as it did: with its exit code, or with
128 and the number of the signal that ended it. 1: it could not be confined, and was not started. 2: wrong usage.
quire doctor says which sandbox is used, and what it does not keep out.
`;
