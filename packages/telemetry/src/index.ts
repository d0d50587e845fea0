export type { ExporterSettings, Signal, TelemetryOptions } from './options.ts';
export { TelemetryExport } from './telemetry-export.ts';
export type { ThreadDescription, ThreadTelemetry } from './thread-telemetry.ts';
