import type { SettingReader } from './setting-reader.ts';
import type { TableReader } from './table-reader.ts';

export interface TelemetryConfig {
  /** What is exported where. Nothing, unless the user says otherwise. */
  readonly telemetry: {
    readonly environment: string;
    readonly logUserPrompt: boolean;
    readonly logs: TelemetryExporter;
    readonly traces: TelemetryExporter;
    readonly metrics: TelemetryExporter;
  };
}

export type TelemetryExporter =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'otlp-http' | 'otlp-grpc';
      readonly endpoint: string;
      /** Secret. */
      readonly headers: Readonly<Record<string, string>>;
      /** Body of OTLP over HTTP. */
      readonly protocol: 'binary' | 'json';
      readonly tls: TelemetryTls;
    };

/** Absolute paths of PEM files. */
export interface TelemetryTls {
  readonly caCertificate: string | undefined;
  readonly clientCertificate: string | undefined;
  readonly clientPrivateKey: string | undefined;
}

type ExporterKey = 'otel.exporter' | 'otel.trace_exporter' | 'otel.metrics_exporter';

const NONE: TelemetryExporter = { kind: 'none' };
const KINDS = ['otlp-http', 'otlp-grpc'] as const;

/** @param owner of the layers that are not the project's: a project may not send records elsewhere */
export function readTelemetrySettings(owner: SettingReader): TelemetryConfig {
  owner.requireTable('otel');
  const logs = readExporter(owner, 'otel.exporter');
  return {
    telemetry: {
      environment: owner.nonEmptyString({ key: 'otel.environment' }) ?? 'dev',
      logUserPrompt: owner.boolean({ key: 'otel.log_user_prompt' }) ?? false,
      logs: logs ?? NONE,
      traces: readExporter(owner, 'otel.trace_exporter') ?? logs ?? NONE,
      metrics: readExporter(owner, 'otel.metrics_exporter') ?? NONE,
    },
  };
}

/** A word, or a table whose only key is the kind. `statsig` is a service of the peer's, and stands for nothing here. */
function readExporter(owner: SettingReader, key: ExporterKey): TelemetryExporter | undefined {
  const table = owner.tableOrUndefined({ key });
  if (table === undefined) {
    const word = owner.oneOf({ key }, ['none', 'statsig', ...KINDS]);
    if (word === undefined || word === 'none' || word === 'statsig') return word === undefined ? undefined : NONE;
    throw owner.invalid({ key }, `needs an address: ${key} = { ${word} = { endpoint = "https://…" } }`);
  }
  const [name, ...more] = table.keys();
  const kind = KINDS.find((known) => known === name);
  const settings = kind === undefined || more.length > 0 ? undefined : table.table(kind);
  if (kind === undefined || settings === undefined) {
    throw owner.invalid({ key }, `must hold one of ${KINDS.join(', ')} as its only key`);
  }
  return readEndpoint(settings, { kind, resolve: (path, value) => owner.resolveAt(path, value) });
}

function readEndpoint(
  settings: TableReader,
  options: {
    readonly kind: (typeof KINDS)[number];
    /** @param path where the value stands: it may be in another file than the rest */
    readonly resolve: (path: readonly string[], value: string) => string;
  },
): TelemetryExporter {
  const endpoint = settings.url('endpoint');
  if (endpoint === undefined) throw settings.invalid('endpoint', 'is missing');
  const tls = settings.table('tls');
  const file = (key: string): string | undefined => {
    const value = tls?.string(key);
    return tls === undefined || value === undefined ? undefined : options.resolve(tls.pathOf(key), value);
  };
  return {
    kind: options.kind,
    endpoint,
    headers: settings.stringMap('headers'),
    protocol: settings.oneOf('protocol', ['binary', 'json']) ?? 'binary',
    tls: {
      caCertificate: file('ca-certificate'),
      clientCertificate: file('client-certificate'),
      clientPrivateKey: file('client-private-key'),
    },
  };
}
