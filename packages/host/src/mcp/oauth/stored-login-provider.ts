import {
  type AuthProvider,
  discoverOAuthServerInfo,
  type FetchLike,
  refreshAuthorization,
} from '@modelcontextprotocol/client';
import { McpError } from '../mcp-error.ts';
import { type LoginPlace, readStoredLogin, type StoredLogin, writeStoredLogin } from './credentials-file.ts';
import { loginOf } from './login-of.ts';

/** Tokens are taken for expired so long before they are. */
const EXPIRY_MARGIN_MS = 30_000;

/** Gives the stored access token, and a fresh one when it is expired or refused. Asks no person anything. */
export class StoredLoginProvider implements AuthProvider {
  readonly #place: LoginPlace;
  readonly #fetch: FetchLike;
  readonly #onTokens: ((values: readonly string[]) => void) | undefined;
  #refreshing: Promise<StoredLogin> | undefined;
  #given: string | undefined;

  constructor(
    place: LoginPlace,
    options: {
      /** Goes to the authorization server: it must carry no header that is meant for the server. */
      readonly fetch: FetchLike;
      /** Told of all secrets of a login that is read or renewed. Must not throw. */
      readonly onTokens?: ((values: readonly string[]) => void) | undefined;
    },
  ) {
    this.#place = place;
    this.#fetch = options.fetch;
    this.#onTokens = options.onTokens;
  }

  /** Read each time: another process may have a newer one. Rejects with McpError. */
  async token(): Promise<string> {
    const login = await this.#stored();
    const isExpired = login.expiresAtMs !== undefined && login.expiresAtMs - EXPIRY_MARGIN_MS < Date.now();
    const current = isExpired && login.refreshToken !== undefined ? await this.#refresh(login) : login;
    this.#given = current.accessToken;
    return current.accessToken;
  }

  /** Rejects with McpError 'login-needed' when no fresh token is to be had. */
  async onUnauthorized(): Promise<void> {
    const login = await this.#stored();
    if (login.accessToken !== this.#given) return; // newer than the one that was refused
    await this.#refresh(login);
  }

  async #stored(): Promise<StoredLogin> {
    const login = await readStoredLogin(this.#place);
    if (login === undefined) throw this.#loginNeeded('its login was removed');
    this.#tell(login);
    return login;
  }

  /** Several requests that need one share one. */
  #refresh(login: StoredLogin): Promise<StoredLogin> {
    this.#refreshing ??= this.#askForToken(login).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #askForToken(login: StoredLogin): Promise<StoredLogin> {
    if (login.refreshToken === undefined) throw this.#loginNeeded('its login has expired');
    try {
      const server = await discoverOAuthServerInfo(this.#place.url, { fetchFn: this.#fetch });
      const metadata = server.authorizationServerMetadata;
      // A token that one server gave out is shown to no other.
      if (login.issuer !== undefined && metadata?.issuer !== undefined && metadata.issuer !== login.issuer) {
        throw this.#loginNeeded('it has another authorization server now');
      }
      const { clientSecret } = login;
      const tokens = await refreshAuthorization(server.authorizationServerUrl, {
        ...(metadata === undefined ? {} : { metadata }),
        clientInformation: {
          client_id: login.clientId,
          ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
        },
        refreshToken: login.refreshToken,
        ...(server.resourceMetadata === undefined ? {} : { resource: server.resourceMetadata.resource }),
        fetchFn: this.#fetch,
      });
      const fresh = loginOf(tokens, { ...login, nowMs: Date.now() });
      this.#tell(fresh);
      await writeStoredLogin(this.#place, fresh);
      return fresh;
    } catch (cause) {
      if (cause instanceof McpError) throw cause;
      // Another process may have used the refresh token first.
      const stored = await this.#stored();
      if (stored.accessToken !== login.accessToken) return stored;
      throw this.#loginNeeded('its login could not be renewed', cause);
    }
  }

  #tell({ accessToken, refreshToken, clientSecret }: StoredLogin): void {
    this.#onTokens?.([accessToken, refreshToken, clientSecret].filter((value) => value !== undefined));
  }

  #loginNeeded(why: string, cause?: unknown): McpError {
    const { name } = this.#place;
    return new McpError('login-needed', `MCP server ${name}: ${why}; run quire mcp login ${name}`, { cause });
  }
}
