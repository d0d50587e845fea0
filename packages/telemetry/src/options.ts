import type { Clock, Entropy, TelemetryAttributes } from '@quire/core';
import type { Environment } from '@quire/network';

/** Where one kind of records goes. */
export type ExporterSettings =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'otlp-http' | 'otlp-grpc';
      readonly endpoint: string;
      /** Secret. */
      readonly headers: Readonly<Record<string, string>>;
      /** Body of OTLP over HTTP. */
      readonly protocol: 'binary' | 'json';
      /** Absolute paths of PEM files. */
      readonly tls: {
        readonly caCertificate: string | undefined;
        readonly clientCertificate: string | undefined;
        readonly clientPrivateKey: string | undefined;
      };
    };

export type Signal = 'traces' | 'logs' | 'metrics';

export interface TelemetryOptions {
  readonly exporters: Readonly<Record<Signal, ExporterSettings>>;
  readonly logsPrompts: boolean;
  readonly serviceName: string;
  readonly serviceVersion: string;
  /** Further facts about who tells. */
  readonly resource: TelemetryAttributes;
  /** And those that only one kind of records has. */
  readonly resources: Readonly<Partial<Record<Signal, TelemetryAttributes>>>;
  /** For proxies, certificates and the `OTEL_` variables. */
  readonly environment: Environment;
  /** Takes secrets out of text. Must not throw. */
  readonly redact: (text: string) => string;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Called once at most, when something can not be sent; must not throw. One line without secrets. */
  readonly onProblem: (message: string) => void;
}
