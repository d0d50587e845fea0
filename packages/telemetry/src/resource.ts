import { randomUUID } from 'node:crypto';
import type { TelemetryAttributes } from '@quire/core';
import type { TelemetryOptions } from './options.ts';

/** Who tells. What the variables of OpenTelemetry say goes before what we say. */
export function resourceAttributes(
  options: Pick<TelemetryOptions, 'serviceName' | 'serviceVersion' | 'resource' | 'environment'>,
): TelemetryAttributes {
  const { environment } = options;
  const name = environment['OTEL_SERVICE_NAME']?.trim() ?? '';
  return {
    'service.name': options.serviceName,
    'service.version': options.serviceVersion,
    'service.instance.id': randomUUID(),
    'telemetry.sdk.name': 'quire',
    'telemetry.sdk.language': 'nodejs',
    'telemetry.sdk.version': options.serviceVersion,
    ...options.resource,
    ...pairsIn(environment['OTEL_RESOURCE_ATTRIBUTES'] ?? ''),
    ...(name === '' ? {} : { 'service.name': name }),
  };
}

/** `key=value,key=value` with percent-encoded values. A list with a fault in it says nothing, as specified. */
function pairsIn(text: string): TelemetryAttributes {
  const pairs: [string, string][] = [];
  for (const part of text.split(',')) {
    if (part.trim() === '') continue;
    const at = part.indexOf('=');
    if (at < 1) return {};
    try {
      pairs.push([decodeURIComponent(part.slice(0, at).trim()), decodeURIComponent(part.slice(at + 1).trim())]);
    } catch {
      return {}; // not percent-encoding
    }
  }
  return Object.fromEntries(pairs);
}
