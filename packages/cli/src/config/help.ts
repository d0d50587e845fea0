export const CONFIG_HELP = `Look at the configuration and change it.

Usage: quire config COMMAND

Commands:
  list [--origin] [--json]         Every value that is set
  get KEY [--origin] [--json]      One value, or all of a table
  set KEY VALUE                    Write a value into config.toml; comments stay
  unset KEY                        Take a value or a table out of it
  path                             Name that file

Options:
      --origin                     Say where each value comes from: file and line
      --json                       JSON on stdout
  -p, --profile NAME               Look with this profile; set and unset change its file, NAME.config.toml
  -c, --config KEY=VALUE           Look with this override (list, get)
      --enable, --disable FEATURE  Look with a feature on, or off (list, get)
  -C, --cd DIR                     Look from this folder (list, get)
  -h, --help                       Show this text

VALUE is TOML, or else plain text: set model gpt-5. A name with a dot in KEY stands in quotes:
set 'projects."/home/me/a.b".trust_level' trusted. What is secret is shown as *****.

Exit codes: 0, 1 when a value is not set or can not be used, 2 for wrong usage.
`;
