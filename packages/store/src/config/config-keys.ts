export interface ConfigKey {
  /** Dotted; `<id>` and `<name>` stand for a name of the user's choice. */
  readonly key: string;
  /** As written in the documentation. */
  readonly type: string;
  /** Markdown, one or two sentences. */
  readonly meaning: string;
}

/**
 * Every key that is read. Keys that are not listed are ignored. `docs/configuration.md` shows this table, and a
 * setting can only be read under a key that stands here.
 *
 * Source: names, types and defaults are those of the peer's `config.toml`, see the reference sheets.
 */
export const CONFIG_KEYS = [
  { key: 'model', type: 'string', meaning: 'Model to use. Unset: the default of the catalog.' },
  {
    key: 'model_provider',
    type: 'string',
    meaning:
      'Id of the provider to use: `openai`, `ollama`, `lmstudio` or a key of `model_providers`. Default `openai`.',
  },
  { key: 'openai_base_url', type: 'URL', meaning: 'Address of the built-in `openai` provider.' },
  {
    key: 'oss_provider',
    type: '`ollama`, `lmstudio`',
    meaning: 'The local server that `--oss` means. Unset: it has to be named.',
  },
  {
    key: 'chatgpt_base_url',
    type: 'URL',
    meaning: 'Address of the account service. A project may not set it.',
  },
  {
    key: 'model_reasoning_effort',
    type: 'string',
    meaning:
      'How much the model thinks: `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max` or `ultra`. Another word is passed on with a warning.',
  },
  {
    key: 'plan_mode_reasoning_effort',
    type: 'string',
    meaning: 'The same while the thread is in plan mode. Default: as otherwise.',
  },
  {
    key: 'model_reasoning_summary',
    type: '`auto`, `concise`, `detailed`, `none`',
    meaning: 'How the model reports its reasoning.',
  },
  { key: 'model_verbosity', type: '`low`, `medium`, `high`', meaning: 'How long answers are.' },
  {
    key: 'model_supports_reasoning_summaries',
    type: 'boolean',
    meaning: 'Overrides what the catalog says of the model.',
  },
  {
    key: 'model_context_window',
    type: 'integer ≥ 1',
    meaning: 'Tokens. Overrides what the catalog says of the model.',
  },
  {
    key: 'model_catalog_json',
    type: 'path',
    meaning: 'File with a list of models that stands in for the catalog. Read at the start only.',
  },
  { key: 'service_tier', type: 'string', meaning: 'Processing tier asked for, such as `flex`.' },
  {
    key: 'model_instructions_file',
    type: 'path',
    meaning: 'File whose text replaces the base instructions. It must exist and hold text.',
  },
  {
    key: 'instructions',
    type: 'string',
    meaning: 'Replaces the base instructions. `model_instructions_file` goes first.',
  },
  { key: 'developer_instructions', type: 'string', meaning: 'Extra developer message at the start of a thread.' },
  {
    key: 'hide_agent_reasoning',
    type: 'boolean',
    meaning: 'Leaves reasoning out of what people read; JSON lines have it all the same. Default `false`.',
  },
  {
    key: 'show_raw_agent_reasoning',
    type: 'boolean',
    meaning:
      'Shows people the reasoning itself in place of its summary, where the model tells it, as open models do. Default `false`.',
  },
  {
    key: 'approval_policy',
    type: '`untrusted`, `on-failure`, `on-request`, `never`, or a table',
    meaning:
      'When a person is asked before something runs. The table form is `{ granular = { sandbox_approval = true, rules = true, mcp_elicitations = true } }`: what is false is refused.',
  },
  {
    key: 'sandbox_mode',
    type: '`read-only`, `workspace-write`, `danger-full-access`',
    meaning: 'What commands and patches may touch.',
  },
  {
    key: 'sandbox_workspace_write.writable_roots',
    type: 'list of paths',
    meaning: 'Folders that may be written beside the working directory. Default none.',
  },
  {
    key: 'sandbox_workspace_write.network_access',
    type: 'boolean',
    meaning: 'Whether commands may use the network. Default `false`.',
  },
  {
    key: 'sandbox_workspace_write.allowed_hosts',
    type: 'list of strings',
    meaning:
      'Hosts that commands may reach when they may use the network: `name`, `*.name` for all below it, each with `:PORT` or without. Unset: all.',
  },
  {
    key: 'sandbox_workspace_write.exclude_tmpdir_env_var',
    type: 'boolean',
    meaning: 'Takes the folder named by `$TMPDIR` out of what may be written. Default `false`.',
  },
  {
    key: 'sandbox_workspace_write.exclude_slash_tmp',
    type: 'boolean',
    meaning: 'Takes `/tmp` out of what may be written. Default `false`.',
  },
  {
    key: 'shell_environment_policy.inherit',
    type: '`all`, `core`, `none`',
    meaning:
      'Which variables commands [start from](#variables-of-commands). `core`: `HOME`, `LANG`, `LC_ALL`, `LC_CTYPE`, `LOGNAME`, `PATH`, `SHELL`, `TEMP`, `TMP`, `TMPDIR` and `USER`. Default `all`.',
  },
  {
    key: 'shell_environment_policy.ignore_default_excludes',
    type: 'boolean',
    meaning: '`false` takes `*KEY*`, `*SECRET*` and `*TOKEN*` away from commands. Default `true`.',
  },
  {
    key: 'shell_environment_policy.exclude',
    type: 'list of strings',
    meaning: 'Variables that commands do not get: names, in which `*` and `?` may stand. Default none.',
  },
  {
    key: 'shell_environment_policy.set',
    type: 'table of strings',
    meaning: 'Variables that commands get, whatever is inherited and excluded.',
  },
  {
    key: 'shell_environment_policy.include_only',
    type: 'list of strings',
    meaning: 'Only what fits one of these stays, of `set` too. Default and for an empty list: everything.',
  },
  {
    key: 'allow_login_shell',
    type: 'boolean',
    meaning: 'Whether the model may run commands in a login shell, as it does when it says nothing. Default `true`.',
  },
  {
    key: 'background_terminal_max_timeout',
    type: 'integer ≥ 0',
    meaning:
      'Longest wait of a `write_stdin` that types nothing, in milliseconds. Default 300000; less than 5000 counts as that.',
  },
  {
    key: 'notify',
    type: 'list of strings',
    meaning:
      'Program and arguments to start when a turn is completed; it gets [one more argument](#a-program-that-is-told-of-turns) that says which. Not for projects.',
  },
  {
    key: 'projects.<path>.trust_level',
    type: '`trusted`, `untrusted`',
    meaning:
      'Whether the settings, rules, hooks and servers of the project in that folder count. Unset: they do not, and nothing may be written there without asking.',
  },
  {
    key: 'project_doc_max_bytes',
    type: 'integer ≥ 0',
    meaning: 'Bytes of `AGENTS.md` files that are passed to the model. Default 32768; 0 passes none.',
  },
  {
    key: 'project_doc_fallback_filenames',
    type: 'list of strings',
    meaning: 'File names tried where there is no `AGENTS.md`. Default none.',
  },
  {
    key: 'project_root_markers',
    type: 'list of strings',
    meaning:
      'Names that mark the root of a project. Default `[".git"]`; an empty list makes the working directory the root.',
  },
  {
    key: 'web_search',
    type: '`disabled`, `cached`, `live`',
    meaning:
      'How the model may search the web. Default: `cached`, and `live` with full access, also instead of `cached`; none with providers that are not known to search.',
  },
  {
    key: 'tools.web_search',
    type: 'boolean',
    meaning: 'Accepted, without effect: `web_search` is the switch. As a table it holds the following keys.',
  },
  {
    key: 'tools.web_search.context_size',
    type: '`low`, `medium`, `high`',
    meaning: 'How much of what is found is given to the model.',
  },
  {
    key: 'tools.web_search.allowed_domains',
    type: 'list of strings',
    meaning: 'Hosts that results may come from. Default: all.',
  },
  {
    key: 'tools.web_search.location',
    type: 'table of strings',
    meaning: 'Where you are, roughly, for results that depend on it: `country`, `region`, `city`, `timezone`.',
  },
  {
    key: 'tool_output_token_limit',
    type: 'integer ≥ 0',
    meaning: 'Tokens of one tool output that are kept. Overrides what the catalog says of the model.',
  },
  {
    key: 'include_git_context',
    type: 'boolean',
    meaning: 'Tells the model commit and remotes of the work trees. Default `true`.',
  },
  {
    key: 'include_environment_context',
    type: 'boolean',
    meaning: 'Tells the model directory, shell, date and work trees. Default `true`.',
  },
  {
    key: 'include_permissions_instructions',
    type: 'boolean',
    meaning: 'Tells the model what the sandbox and the approval policy let it do. Default `true`.',
  },
  {
    key: 'include_collaboration_mode_instructions',
    type: 'boolean',
    meaning: 'Tells the model the instructions of the collaboration mode. Default `true`.',
  },
  {
    key: 'personality',
    type: '`none`, `friendly`, `pragmatic`',
    meaning: 'How the model speaks. Default `pragmatic`, where the model has personalities.',
  },
  { key: 'review_model', type: 'string', meaning: 'Model of reviews. Default: the current one.' },
  {
    key: 'model_auto_compact_token_limit',
    type: 'integer ≥ 1',
    meaning: 'Tokens at which the history is compacted by itself. At most 90 % of the context window.',
  },
  { key: 'compact_prompt', type: 'string', meaning: 'Replaces the request for a summary. Blank counts as not set.' },
  {
    key: 'experimental_compact_prompt_file',
    type: 'path',
    meaning: 'File with that request. `compact_prompt` goes first.',
  },
  {
    key: 'compaction.strategies',
    type: 'list of `endpoint`, `trigger`, `local`, `trim`',
    meaning:
      'Ways of compacting, tried in this order. Default: all four with the built-in provider, `local` and `trim` with others. An empty list switches compaction off.',
  },
  {
    key: 'compaction.deadline_seconds',
    type: 'integer ≥ 1',
    meaning: 'Time for all ways together. Default 180.',
  },
  {
    key: 'compaction.ledger',
    type: 'boolean',
    meaning: 'Keeps goal, plan, files and commands of the work and sends them back after a compaction. Default `true`.',
  },
  {
    key: 'agents.max_depth',
    type: 'integer ≥ 1',
    meaning: 'How deep agents may start agents of their own. Default 1.',
  },
  { key: 'agents.max_threads', type: 'integer ≥ 1', meaning: 'Sub-agents open at the same time. Default 6.' },
  {
    key: 'agents.max_tokens',
    type: 'integer ≥ 1',
    meaning: 'Tokens that a thread and its sub-agents may use together. Default: no limit.',
  },
  {
    key: 'agents.max_requests',
    type: 'integer ≥ 1',
    meaning: 'Requests to the model that they may make together. Default: no limit.',
  },
  {
    key: 'agents.max_seconds',
    type: 'integer ≥ 1',
    meaning: 'Time that they may take together, from the first request on. Default: no limit.',
  },
  {
    key: 'hooks.PreToolUse',
    type: 'list of tables',
    meaning: 'Programs that run before tool calls and may deny them, see [hooks](hooks.md).',
  },
  {
    key: 'hooks.PostToolUse',
    type: 'list of tables',
    meaning: 'Programs that run after tool calls and may tell the model something.',
  },
  {
    key: 'js_repl_node_path',
    type: 'path',
    meaning:
      'Node.js that runs the code of `js_repl`. Default: the one that runs this program, else the first of `PATH`. A project may not set it.',
  },
  {
    key: 'js_repl_node_module_dirs',
    type: 'list of paths',
    meaning: 'Folders whose packages `js_repl` finds before those of the working directory. Default none.',
  },
  {
    key: 'features.<name>',
    type: 'boolean or a table',
    meaning: 'Switches a [feature](features.md) on or off. Of a table `enabled` counts.',
  },
  {
    key: 'suppress_unstable_features_warning',
    type: 'boolean',
    meaning: 'Silences the warning about features that are under development. Default `false`.',
  },
  {
    key: 'experimental_use_unified_exec_tool',
    type: 'boolean',
    meaning: 'Older name of `features.unified_exec`.',
  },
  {
    key: 'experimental_use_freeform_apply_patch',
    type: 'boolean',
    meaning: 'Older name of `features.apply_patch_freeform`, which has no effect.',
  },
  {
    key: 'include_apply_patch_tool',
    type: 'boolean',
    meaning: 'Another older name of it.',
  },
  {
    key: 'profile',
    type: 'string',
    meaning: 'The profile in use when `--profile` names none, see [profiles](#profiles). A project may not set it.',
  },
  {
    key: 'profiles.<name>',
    type: 'table',
    meaning: 'A profile: settings that hold while it is in use. A file of its own does the same.',
  },
  {
    key: 'forced_login_method',
    type: '`chatgpt`, `api`',
    meaning: 'Only this way to sign in is allowed. A project may not set it.',
  },
  {
    key: 'forced_chatgpt_workspace_id',
    type: 'string or list of strings',
    meaning: 'Only logins to these workspaces are allowed. A project may not set it.',
  },
  {
    key: 'cli_auth_credentials_store',
    type: '`file`, `keyring`, `auto`, `ephemeral`',
    meaning: 'Where credentials are kept. Default `file`. A project may not set it.',
  },
  { key: 'model_providers.<id>.name', type: 'string', meaning: 'Name that people see. Required.' },
  { key: 'model_providers.<id>.base_url', type: 'URL', meaning: 'Prefix of every request path.' },
  {
    key: 'model_providers.<id>.wire_api',
    type: '`responses`, `chat`',
    meaning:
      'The protocol spoken: the Responses API (default), or chat completions for servers that have nothing else.',
  },
  { key: 'model_providers.<id>.env_key', type: 'string', meaning: 'Environment variable that holds the API key.' },
  {
    key: 'model_providers.<id>.env_key_instructions',
    type: 'string',
    meaning: 'How to get that key, said when the variable is missing.',
  },
  {
    key: 'model_providers.<id>.experimental_bearer_token',
    type: 'string',
    meaning: 'The token itself. Prefer `env_key`.',
  },
  {
    key: 'model_providers.<id>.auth.command',
    type: 'string',
    meaning: 'Program that prints a token. Goes with none of the other kinds of credentials.',
  },
  { key: 'model_providers.<id>.auth.args', type: 'list of strings', meaning: 'Its arguments. Default none.' },
  {
    key: 'model_providers.<id>.auth.cwd',
    type: 'path',
    meaning: 'Where it runs. Default: the folder of the file that sets it.',
  },
  {
    key: 'model_providers.<id>.auth.timeout_ms',
    type: 'integer ≥ 1',
    meaning: 'Longest run, in milliseconds. Default 5000.',
  },
  {
    key: 'model_providers.<id>.auth.refresh_interval_ms',
    type: 'integer ≥ 0',
    meaning:
      'How long a token is used before the next is asked for, in milliseconds. Default 300000; 0: until it is refused.',
  },
  { key: 'model_providers.<id>.query_params', type: 'table of strings', meaning: 'Added to every URL.' },
  { key: 'model_providers.<id>.http_headers', type: 'table of strings', meaning: 'Added to every request.' },
  {
    key: 'model_providers.<id>.env_http_headers',
    type: 'table of strings',
    meaning: 'Header names and the environment variables that hold their values. Unset and blank ones are left out.',
  },
  {
    key: 'model_providers.<id>.request_max_retries',
    type: 'integer ≥ 0',
    meaning: 'Retries of one HTTP request. Default 4, at most 100.',
  },
  {
    key: 'model_providers.<id>.stream_max_retries',
    type: 'integer ≥ 0',
    meaning: 'Retries of an answer that broke off. Default 5, at most 100.',
  },
  {
    key: 'model_providers.<id>.stream_idle_timeout_ms',
    type: 'integer ≥ 1',
    meaning: 'Longest silence in an answer, in milliseconds. Default 300000.',
  },
  {
    key: 'model_providers.<id>.requires_openai_auth',
    type: 'boolean',
    meaning: 'Sends the stored login or key to this provider. Default `false`.',
  },
  {
    key: 'model_providers.<id>.supports_websockets',
    type: 'boolean',
    meaning: 'Responses are asked for over a WebSocket, which falls back to HTTP where it fails. Default `false`.',
  },
  {
    key: 'model_providers.<id>.websocket_connect_timeout_ms',
    type: 'integer ≥ 1',
    meaning: 'Longest WebSocket handshake, in milliseconds. Default 15000.',
  },
  {
    key: 'model_providers.<id>.store_items',
    type: 'boolean',
    meaning: 'The server wants responses stored (`store: true`). Default: guessed from name and address, as for Azure.',
  },
  {
    key: 'model_providers.<id>.item_ids',
    type: 'boolean',
    meaning: 'The server wants items back with their ids. Default: guessed from name and address, as for Azure.',
  },
  {
    key: 'mcp_servers.<id>.command',
    type: 'string',
    meaning: 'Program of an MCP server. A server has either this or `url`.',
  },
  { key: 'mcp_servers.<id>.args', type: 'list of strings', meaning: 'Its arguments. Default none.' },
  {
    key: 'mcp_servers.<id>.env',
    type: 'table of strings',
    meaning: 'Its environment, beside the few variables that every server gets.',
  },
  {
    key: 'mcp_servers.<id>.env_vars',
    type: 'list of strings',
    meaning: 'Variables of the environment that are passed on to it. Default none.',
  },
  {
    key: 'mcp_servers.<id>.cwd',
    type: 'path',
    meaning: 'Where it starts. Default: the working directory of the thread.',
  },
  { key: 'mcp_servers.<id>.url', type: 'URL', meaning: 'Address of an MCP server that speaks streamable HTTP.' },
  {
    key: 'mcp_servers.<id>.bearer_token_env_var',
    type: 'string',
    meaning: 'Environment variable that holds its token.',
  },
  { key: 'mcp_servers.<id>.http_headers', type: 'table of strings', meaning: 'Added to every request.' },
  {
    key: 'mcp_servers.<id>.env_http_headers',
    type: 'table of strings',
    meaning: 'Header names and the environment variables that hold their values. Unset and blank ones are left out.',
  },
  {
    key: 'mcp_servers.<id>.oauth.client_id',
    type: 'string',
    meaning: 'Client for logins. Default: one is registered.',
  },
  {
    key: 'mcp_servers.<id>.oauth_resource',
    type: 'string',
    meaning: 'What tokens are asked for. Default: what the server says of itself.',
  },
  {
    key: 'mcp_servers.<id>.scopes',
    type: 'list of strings',
    meaning: 'Scopes that logins ask for. Default: what the server says.',
  },
  { key: 'mcp_servers.<id>.enabled', type: 'boolean', meaning: 'Whether the server is used. Default `true`.' },
  {
    key: 'mcp_servers.<id>.required',
    type: 'boolean',
    meaning: 'A thread does not begin without it. Default `false`.',
  },
  {
    key: 'mcp_servers.<id>.startup_timeout_sec',
    type: 'number > 0',
    meaning: 'Time until its tools are known. Default 10.',
  },
  {
    key: 'mcp_servers.<id>.startup_timeout_ms',
    type: 'number > 0',
    meaning: 'The same in milliseconds. `startup_timeout_sec` goes first.',
  },
  {
    key: 'mcp_servers.<id>.tool_timeout_sec',
    type: 'number > 0',
    meaning: 'Time of one call, without that in which a person is asked. Default 60.',
  },
  { key: 'mcp_servers.<id>.enabled_tools', type: 'list of strings', meaning: 'Only these of its tools. Default: all.' },
  { key: 'mcp_servers.<id>.disabled_tools', type: 'list of strings', meaning: 'Not these of its tools. Default none.' },
  {
    key: 'mcp_servers.<id>.supports_parallel_tool_calls',
    type: 'boolean',
    meaning: 'Calls of its tools may overlap. Default: those of tools that only read.',
  },
  {
    key: 'mcp_servers.<id>.default_tools_approval_mode',
    type: '`auto`, `prompt`, `writes`, `approve`',
    meaning:
      'When a person is asked before a tool runs: by what the tool says of itself (default), always, unless it only reads, never.',
  },
  {
    key: 'mcp_servers.<id>.tools.<name>.approval_mode',
    type: '`auto`, `prompt`, `writes`, `approve`',
    meaning: 'The same for one tool.',
  },
  {
    key: 'mcp_oauth_callback_port',
    type: 'integer ≥ 1',
    meaning: 'Port that logins to MCP servers come back to. Default: a free one.',
  },
  {
    key: 'mcp_oauth_callback_url',
    type: 'URL',
    meaning: 'Address that they come back to, when it is not that port of this machine.',
  },
  {
    key: 'notice',
    type: 'table',
    meaning:
      'What you answered to offers of newer models: `model_migrations` names for a model the one that was offered. Clients write it. A project may not set it.',
  },
  {
    key: 'tui.model_availability_nux',
    type: 'table',
    meaning: 'How often you were shown the notice of a new model, by its slug. Clients write it.',
  },
  {
    key: 'otel.exporter',
    type: '`none`, or a table',
    meaning:
      'Where logs go: `{ otlp-http = { endpoint = "https://…", headers = {}, protocol = "binary", tls = {} } }` or `otlp-grpc`. `protocol` may be `json`; `tls` may hold `ca-certificate`, `client-certificate` and `client-private-key`. Default `none`. A project may not set it.',
  },
  {
    key: 'otel.trace_exporter',
    type: '`none`, or a table',
    meaning: 'Where traces go. Default: where logs go.',
  },
  {
    key: 'otel.metrics_exporter',
    type: '`none`, or a table',
    meaning: 'Where metrics go. Default `none`.',
  },
  { key: 'otel.environment', type: 'string', meaning: 'Name of the environment in what is sent. Default `dev`.' },
  {
    key: 'otel.log_user_prompt',
    type: 'boolean',
    meaning: 'Prompts are a part of what is sent. Default `false`.',
  },
] as const satisfies readonly ConfigKey[];

export type ConfigKeyName = (typeof CONFIG_KEYS)[number]['key'];
