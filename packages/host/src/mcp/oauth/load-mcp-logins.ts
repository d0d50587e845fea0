import type { readStoredLogin, removeStoredLogin } from './credentials-file.ts';
import type { logInToMcpServer } from './login.ts';

export interface McpLogins {
  readonly logIn: typeof logInToMcpServer;
  readonly remove: typeof removeStoredLogin;
  readonly read: typeof readStoredLogin;
}

/** Fetches what logs in to MCP servers. */
export async function loadMcpLogins(): Promise<McpLogins> {
  const { readStoredLogin, removeStoredLogin } = await import('./credentials-file.ts');
  return {
    // The client library is only needed for a login itself.
    logIn: async (options) => (await import('./login.ts')).logInToMcpServer(options),
    remove: removeStoredLogin,
    read: readStoredLogin,
  };
}
