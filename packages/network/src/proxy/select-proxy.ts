import type { Environment } from '../environment.ts';
import type { Target } from '../target.ts';
import { isExcepted } from './no-proxy.ts';
import { parseProxy } from './parse-proxy.ts';
import type { ProxyEndpoint } from './proxy-endpoint.ts';

/**
 * The proxy that the environment asks for, `undefined` for a direct connection. Lower-case names win over
 * upper-case ones, the scheme's own variable over `ALL_PROXY`. Throws NetworkError 'configuration'.
 */
export function selectProxy(target: Target, environment: Environment): ProxyEndpoint | undefined {
  const found =
    variable(environment, target.secure ? 'https_proxy' : 'http_proxy') ?? variable(environment, 'all_proxy');
  if (found === undefined) return undefined;
  const exceptions = variable(environment, 'no_proxy');
  if (exceptions !== undefined && isExcepted(target, exceptions.value)) return undefined;
  return parseProxy(found.value, { variable: found.name, target });
}

interface Variable {
  readonly name: string;
  readonly value: string;
}

function variable(environment: Environment, name: string): Variable | undefined {
  for (const spelling of [name, name.toUpperCase()]) {
    // In a CGI program `HTTP_PROXY` is the `Proxy` header of whoever called it.
    if (spelling === 'HTTP_PROXY' && environment['REQUEST_METHOD'] !== undefined) continue;
    const value = environment[spelling]?.trim();
    if (value !== undefined && value !== '') return { name: spelling, value };
  }
  return undefined;
}
