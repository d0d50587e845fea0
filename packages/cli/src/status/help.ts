export const STATUS_HELP = `Show who is logged in, and how much of the account's limits is used.

Usage: quire status [OPTIONS]

Options:
      --json                 JSON on stdout: {"loggedIn","authMode","email","accountId","plan","limits","credits",
                             "source","ageSeconds","problem","notes"}; what is not known is null
      --offline              Ask nobody: show what the last recorded turns heard
  -p, --profile NAME         With this profile
  -c, --config KEY=VALUE     Override a setting of config.toml; may be repeated
  -h, --help                 Show this text

The account service is asked; when it can not be, what recorded turns heard is shown with its age. An API key has no
limits that could be asked for.

Exit codes: 0, 1 when nobody is logged in or the service could not be asked, 2 for wrong usage. See docs/status.md.
`;
