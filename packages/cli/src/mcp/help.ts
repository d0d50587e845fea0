export const MCP_HELP = `Look after the MCP servers of config.toml.

Usage: quire mcp COMMAND

Commands:
  list                          All servers
  get NAME                      One server
  add NAME -- PROGRAM [ARG]...  Add a server that runs as a program, or replace the one of that name
  add NAME --url URL            Add a server that speaks streamable HTTP
  remove NAME                   Take a server out
  login NAME                    Log in to a server, in the browser
  logout NAME                   Forget that login

Options:
      --json                    list, get: as JSON
      --env KEY=VALUE           add: a variable for the program; may be repeated
      --bearer-token-env-var V  add: the environment variable that holds the token of the server
      --scopes SCOPE,...        login: what to ask for, instead of what the server says
      --no-browser              login: only print the address
  -c, --config KEY=VALUE        Override a setting of config.toml; may be repeated
  -h, --help                    Show this text

list and get hide the values of variables and headers, but for --json. They do not ask the servers anything.
`;
