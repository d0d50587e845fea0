import type { Config } from '@quire/store';

/** Settings that are understood and not served yet: whoever sets one is told, so that none is passed over in silence. */
export function unservedSettings(config: Pick<Config, 'telemetry'>): readonly string[] {
  const { telemetry } = config;
  const exports = [telemetry.logs, telemetry.traces, telemetry.metrics].some(({ kind }) => kind !== 'none');
  const unserved: readonly (readonly [isSet: boolean, notice: string])[] = [
    [exports, 'otel is not supported yet: nothing is exported.'],
  ];
  return unserved.flatMap(([isSet, notice]) => (isSet ? [notice] : []));
}
