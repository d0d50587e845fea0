export const THREAD_HELP = `Look after the threads on disk.

Usage: quire thread [OPTIONS] COMMAND

Commands:
  list                  The threads of this directory, the newest first
  show ID               What is known about a thread
  rename ID NAME        Give a thread a name; an empty one takes the name away
  archive ID            Put a thread away: it is not listed any more; also quire archive
  unarchive ID          Bring it back; also quire unarchive
  fork ID               Begin a new thread with what was said in this one, and print its id
  rollback ID N         Take the last N turns out of a thread; files stay as they are
  compact ID            Make the history that the model gets shorter
  undo ID               Put the files back to where they were before the newest turn that changed some
  shell ID COMMAND...   Run a command of your own, without a sandbox; the model hears of it with the next turn

ID is a thread id or its beginning, a name, or the path of its file. Instead of it all but unarchive take --last.
What runs in a thread runs in this directory, or the one of -C.

Options:
      --last                   The thread of this directory that was written to last
      --all                    list, --last: of any directory
      --archived               list: those that were put away
      --limit N                list: not more than N; without it 50, and with --json all
      --before N               fork: end before user message N; 0 is the first
  -C, --cd DIR                 Another directory than this one
  -m, --model MODEL            compact: the model that compacts
  -c, --config KEY=VALUE       Override a setting of config.toml; may be repeated
      --oss                    compact: ask a server of open models on this machine, see quire exec --help
      --local-provider NAME    compact: with --oss, ollama or lmstudio
  -p, --profile NAME           Where a thread is opened (fork, rollback, compact, undo, shell): use a profile
      --enable FEATURE         There: switch a feature on, or off with --disable; may be repeated
      --ignore-user-config     Do not read config.toml
      --json                   list, show: one JSON object per line; compact, undo, shell: the events of quire exec
                               --json; also --experimental-json
      --receipt                With the events: one that tells what the requests cost
      --color WHEN             compact, undo, shell: always, never or auto (default)
      --deadline SECONDS       compact, undo, shell: interrupt it after this time
  -h, --help                   Show this text

shell takes its options before ID. One word is a line for the shell; several are one command with its arguments, passed
on as they are. Its output goes to stdout. The exit code is 0 when the command ran, whatever its own was, which is
shown; the other exit codes are those of quire exec.
`;
