import type { JsonObject } from '@quire/protocol';
import type { ArgumentReading } from '../call-arguments.ts';
import { optional } from './command-arguments.ts';

export const LOGIN_PROPERTY = {
  type: 'boolean',
  description: 'Run with the environment of a login shell. Default: true.',
} as const;

const REFUSAL =
  '`login` can not be true: login shells are switched off in the configuration (`allow_login_shell`); leave it out';

/** The parameters of a command tool, without `login` where no login shell may be asked for. */
export function withLogin<Properties extends { readonly login: unknown }>(
  properties: Properties,
  isAllowed: boolean,
): Properties | Omit<Properties, 'login'> {
  if (isAllowed) return properties;
  const { login: _login, ...others } = properties;
  return others;
}

/** Source for the default and the refusal: observed, peer 0.169. */
export function readLogin(args: JsonObject, isAllowed: boolean): ArgumentReading<boolean> {
  const reading = optional(args, 'login', 'boolean');
  if (reading.kind === 'invalid') return reading;
  const login = reading.value ?? isAllowed;
  if (!login || isAllowed) return { kind: 'ok', value: login };
  return { kind: 'invalid', message: REFUSAL };
}
