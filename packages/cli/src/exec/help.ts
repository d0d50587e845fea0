export const EXEC_HELP = `Run one prompt to its end: the answer on stdout, the transcript on stderr.

Usage: quire exec [OPTIONS] [PROMPT]
       quire exec [OPTIONS] resume ID [PROMPT]
       quire exec [OPTIONS] resume --last [--all] [PROMPT]

Without PROMPT, or with -, the prompt is read from stdin. With PROMPT, text that is piped in is added to it.
A silent pipe is waited for while another program writes to it, and ignored after one second otherwise.

Model and configuration:
  -m, --model MODEL            Model to ask
  -c, --config KEY=VALUE       Override a setting of config.toml; may be repeated
      --ignore-user-config     Do not read config.toml
  -i, --image FILE[,FILE]      Attach images; may be repeated
      --output-schema FILE     JSON Schema that the answer must follow

What the agent may do:
  -s, --sandbox MODE           read-only, workspace-write or danger-full-access
      --dangerously-bypass-approvals-and-sandbox
                               The same as -s danger-full-access; also --yolo
      --full-auto              Deprecated: the same as -s workspace-write
  -C, --cd DIR                 Working directory
      --add-dir DIR            Another writable directory; may be repeated
      --skip-git-repo-check    Also run outside a git repository
      --deadline SECONDS       Interrupt the run after this time

Thread:
      --ephemeral              Keep nothing on disk
      --thread-source LABEL    Label of a new thread in listings
      --last                   resume: the newest thread of this directory
      --all                    resume --last: of any directory

Output:
      --json                   One JSON event per line on stdout; also --experimental-json
      --receipt                With --json: an event that tells what the requests cost
  -o, --output-last-message FILE
                               Write the final message to a file; empty when the turn fails
      --color WHEN             always, never or auto (default)
  -h, --help                   Show this text

Exit codes:
  0    the turn completed
  1    the turn failed, the deadline passed, or the run could not start
  2    wrong usage
  129  ended by SIGHUP
  130  ended by Ctrl-C (SIGINT); a second Ctrl-C leaves at once
  141  the reader of stdout went away
  143  ended by SIGTERM
`;
