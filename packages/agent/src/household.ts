import type { McpServersOfProgram } from './mcp-servers-of-program.ts';
import type { ModelLines } from './model-line.ts';
import type { ModelCatalogs } from './models/model-catalogs.ts';
import type { Sandboxes } from './sandboxes.ts';
import type { KnownSecrets } from './secrets.ts';
import type { TelemetryOfProgram } from './telemetry-of-program.ts';

/** What all threads of one program share. */
export interface Household {
  readonly lines: ModelLines;
  readonly catalogs: ModelCatalogs;
  readonly servers: McpServersOfProgram;
  readonly sandboxes: Sandboxes;
  readonly secrets: KnownSecrets;
  readonly telemetry: TelemetryOfProgram;
}
