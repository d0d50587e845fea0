export const EXEC_HELP = `Run one prompt to its end: the answer on stdout, the transcript on stderr.

Usage: quire exec [OPTIONS] [PROMPT]
       quire exec [OPTIONS] resume ID [PROMPT]
       quire exec [OPTIONS] resume --last [--all] [PROMPT]
       quire exec [OPTIONS] fork (ID | --last [--all]) [PROMPT]
       quire exec [OPTIONS] review (--uncommitted | --base BRANCH | --commit SHA | PROMPT)

resume goes on with a thread; fork begins a new one with what was said in it. ID is a thread id or its beginning,
a name, or the path of its file.

Without PROMPT, or with -, the prompt is read from stdin. With PROMPT, text that is piped in is added to it.
A silent pipe is waited for while another program writes to it, and ignored after one second otherwise.
fork without PROMPT only makes the thread and prints its id. review reads stdin only for -.

Model and configuration:
  -m, --model MODEL            Model to ask
  -c, --config KEY=VALUE       Override a setting of config.toml; may be repeated
  -p, --profile NAME           Use a profile: NAME.config.toml of the home folder, or [profiles.NAME]
      --enable FEATURE         Switch a feature on; may be repeated. quire features list shows them
      --disable FEATURE        Switch a feature off; may be repeated
      --oss                    Ask a server of open models on this machine: the one that oss_provider names
      --local-provider NAME    With --oss: ollama or lmstudio
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
      --last                   resume, fork: the newest thread of this directory
      --all                    With --last: of any directory
      --before N               fork: end before user message N; 0 is the first

Review:
      --uncommitted            Staged, unstaged and untracked changes
      --base BRANCH            The changes since the work left this branch
      --commit SHA             The changes of one commit
      --title TEXT             With --commit: its title

Output:
      --json                   One JSON event per line on stdout; also --experimental-json
      --receipt                With --json: an event that tells what the requests cost
  -o, --output-last-message FILE
                               Write the final message to a file; empty when the turn fails
      --color WHEN             always, never or auto (default)
  -h, --help                   Show this text

Exit codes:
  0    the turn completed; a review was made, with findings or without
  1    the turn failed, the deadline passed, or the run could not start
  2    wrong usage
  129  ended by SIGHUP
  130  ended by Ctrl-C (SIGINT); a second Ctrl-C leaves at once
  141  the reader of stdout went away
  143  ended by SIGTERM
`;

export const REVIEW_HELP = `Review changes of a git repository: the findings on stdout, what the reviewer does on stderr.

Usage: quire review [OPTIONS] --uncommitted
       quire review [OPTIONS] --base BRANCH
       quire review [OPTIONS] --commit SHA [--title TEXT]
       quire review [OPTIONS] PROMPT

      --uncommitted            Staged, unstaged and untracked changes
      --base BRANCH            The changes since the work left this branch
      --commit SHA             The changes of one commit
      --title TEXT             With --commit: its title

PROMPT says in your own words what to review; with - it is read from stdin.

The exit code is 0 when the review was made, with findings or without. All options of quire exec that are about
the model, the sandbox, the thread and the output are understood, such as -m, -C, --json and -o: see quire help exec.
`;
