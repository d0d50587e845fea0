export const FEATURES_HELP = `Look at features and switch them.

Usage: quire features COMMAND

Commands:
  list [--all] [--json]      Features with their stage, and whether they are on
  enable NAME                Switch one on in config.toml
  disable NAME               Switch one off in config.toml

Options:
  -a, --all                  Also those that only compatible programs have
      --json                 {"features":[{"name","stage","enabled","defaultEnabled","supported","description"}]}
  -p, --profile NAME         Look with this profile; enable and disable change its file, NAME.config.toml
  -c, --config KEY=VALUE     Look with this override (list)
      --enable NAME          The same as -c features.NAME=true (list)
      --disable NAME         The same as -c features.NAME=false (list)
  -h, --help                 Show this text

Stages are stable, experimental, under development, deprecated and removed; docs/features.md explains them.
Exit codes: 0, 1 when something can not be done, 2 for wrong usage.
`;
