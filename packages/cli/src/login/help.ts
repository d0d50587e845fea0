export const LOGIN_HELP = `Log in to the model provider.

Usage: quire login [OPTIONS]
       quire login status [--json]
       quire logout

Ways to log in:
  (none)              In the browser. Without a browser on this machine: open the address on another one, and paste
                      here where it ends up
      --device-auth   With a code that is typed in on another machine
      --with-api-key  With an API key from stdin: printenv MY_KEY | quire login --with-api-key
      --with-access-token
                      With a personal access token from stdin, which begins with at-

Options:
      --no-browser              Only print the address
      --json                    status: as JSON, without any secret
  -c, --config KEY=VALUE        Override a setting of config.toml; may be repeated
  -p, --profile NAME            Use a profile of the configuration
  -h, --help                    Show this text

The login is kept in auth.json of the home folder, or where cli_auth_credentials_store says. status ends with code 1
when nobody is logged in.
`;

export const LOGOUT_HELP = `Revoke the stored login and take it away.

Usage: quire logout

Options:
  -c, --config KEY=VALUE        Override a setting of config.toml; may be repeated
  -p, --profile NAME            Use a profile of the configuration
  -h, --help                    Show this text
`;
