export const HELP = `quire: a coding agent for the terminal and for scripts

Usage: quire COMMAND [OPTIONS]

Commands:
  exec, e     Run one prompt to its end and print the answer
  review      Review changes of a git repository
  thread      List, show, name, fork, roll back, compact the threads on disk, and more
  archive     Put a thread away
  unarchive   Bring it back
  config      Show and change the configuration
  features    List features, switch them on and off
  login       Sign in, or tell who is signed in
  logout      Sign out
  status      Show how much of the account's limits is used
  sandbox     Run a command of your own under the sandbox of a thread
  mcp         Add, list, remove and log in to MCP servers
  execpolicy  Tell what the rules say of a command
  doctor      Check what this machine can do, and say what to do about the rest
  simulate    Start a model provider on this machine that plays a script
  help        Show this text, or the help of a command

Options:
  -h, --help     Show this text
  -V, --version  Show the version

Try: quire exec "explain what this repository does"
Help of a command: quire help exec
`;
