export const DOCTOR_HELP = `Look at what quire needs on this machine, and say what to do about what is missing.

Usage: quire doctor [OPTIONS]

Options:
      --json                 One JSON object: {"verdict","version","checks":[{"id","verdict","summary","details","remedy"}]}
      --offline              Connect to nothing
      --bundle FILE          Also write a redacted bundle for a report of a fault; FILE must not exist
  -p, --profile NAME         With this profile
  -c, --config KEY=VALUE     Override a setting of config.toml; may be repeated
  -C, --cd DIR               Look from this folder
  -h, --help                 Show this text

Looks at the installation, the configuration, credentials, the way to the model provider (DNS, connection, proxy, TLS), its
answers over HTTP and WebSocket, the clock, the list of models, the sandbox, the disk, MCP servers and the terminal. Takes
ten seconds at most, renews and writes nothing (but the bundle), and costs no tokens.

Verdicts are ok, warning, failed and skipped. Exit codes: 0, 1 when a check failed or the bundle could not be written, 2 for
wrong usage. See docs/doctor.md.
`;
