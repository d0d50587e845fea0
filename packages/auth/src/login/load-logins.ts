import type { logInWithBrowser } from './browser-login.ts';
import type { logInWithDevice } from './device-login.ts';
import type { logInWithAccessToken, logInWithKey } from './key-login.ts';
import type { logOut } from './log-out.ts';

export interface Logins {
  readonly withBrowser: typeof logInWithBrowser;
  readonly withDevice: typeof logInWithDevice;
  readonly withKey: typeof logInWithKey;
  readonly withAccessToken: typeof logInWithAccessToken;
  readonly logOut: typeof logOut;
}

/** The ways to log in and out, each fetched when it is used. */
export function loadLogins(): Logins {
  return {
    withBrowser: async (options) => (await import('./browser-login.ts')).logInWithBrowser(options),
    withDevice: async (options) => (await import('./device-login.ts')).logInWithDevice(options),
    withKey: async (...given) => (await import('./key-login.ts')).logInWithKey(...given),
    withAccessToken: async (...given) => (await import('./key-login.ts')).logInWithAccessToken(...given),
    logOut: async (...given) => (await import('./log-out.ts')).logOut(...given),
  };
}
