import type { Credentials, ModelProvider } from '@quire/protocol';
import { isJsonObject, type ModelErrorCode, objectAt, stringAt } from '@quire/protocol';
import type { RecoveryStep } from '../credentials-source.ts';
import { withoutSecrets } from '../errors/redact.ts';
import { headerText, type ResponseHeaders, requestIdOf } from '../http/headers-in.ts';
import type { Environment } from '../request/headers.ts';

/** Names as feedback tools know them. All keys are always there; empty: not known. No value is secret. */
export type AuthTags = Readonly<Record<AuthTag, string>>;

export type RecoveryOutcome =
  | 'recovery_succeeded'
  | 'recovery_failed_permanent'
  | 'recovery_failed_transient'
  | 'recovery_not_run';

export interface RecoveryReport {
  readonly mode: RecoveryStep['mode'] | undefined;
  readonly step: RecoveryStep['phase'] | undefined;
  readonly outcome: RecoveryOutcome;
  /** Why nothing was done. */
  readonly reason: 'not_chatgpt_auth' | 'no_external_auth' | 'recovery_exhausted' | 'auth_manager_missing' | undefined;
  readonly evidence: UnauthorizedEvidence;
  readonly stateChanged: boolean | undefined;
  /** Of the step. */
  readonly durationMs: number;
}

/** What a server says of a refusal. */
export interface UnauthorizedEvidence {
  readonly requestId: string | undefined;
  readonly cfRay: string | undefined;
  readonly error: string | undefined;
  readonly errorCode: string | undefined;
}

const KEYS = [
  'endpoint',
  'auth_header_attached',
  'auth_header_name',
  'auth_mode',
  'auth_retry_after_unauthorized',
  'auth_recovery_mode',
  'auth_recovery_phase',
  'auth_recovery_outcome',
  'auth_connection_reused',
  'auth_request_id',
  'auth_cf_ray',
  'auth_error',
  'auth_error_code',
  'auth_recovery_followup_success',
  'auth_recovery_followup_status',
  'auth_401_request_id',
  'auth_401_cf_ray',
  'auth_401_error',
  'auth_401_error_code',
  'auth_env_openai_api_key_present',
  'auth_env_codex_api_key_present',
  'auth_env_codex_api_key_enabled',
  'auth_env_provider_key_name',
  'auth_env_provider_key_present',
  'auth_env_refresh_token_url_override_present',
] as const;

export type AuthTag = (typeof KEYS)[number];

export interface AuthorizedRequest {
  readonly endpoint: string;
  readonly credentials: Credentials;
  readonly status: number | undefined;
  readonly error: ModelErrorCode | undefined;
  readonly headers: ResponseHeaders | undefined;
  /** The step of recovery that this request follows. */
  readonly after: RecoveryStep | undefined;
  /** Only for a WebSocket. */
  readonly connectionReused?: boolean;
}

/** How the request that follows shows who it is from. */
export interface RequestAuthorization {
  /** It has an `authorization` header. */
  readonly attached: boolean;
  /** What was done about a 401 before it; absent: it is no repetition of a refused one. */
  readonly after: Pick<RecoveryStep, 'mode' | 'phase'> | undefined;
}

export function authorizationOf({
  credentials,
  after,
}: Pick<AuthorizedRequest, 'credentials' | 'after'>): RequestAuthorization {
  return { attached: credentials.kind !== 'none', after };
}

/** Keeps the tags of one thread: those of the latest request, and what the last 401 said. */
export class AuthTagRecord {
  readonly #environment: Partial<Record<AuthTag, string>>;
  #latest: Partial<Record<AuthTag, string>> = {};
  #recovery: Partial<Record<AuthTag, string>> = {};
  #last401: Partial<Record<AuthTag, string>> = {};

  constructor(options: { readonly environment: Environment; readonly provider: ModelProvider }) {
    this.#environment = environmentTags(options.environment, options.provider);
  }

  noteRequest(request: AuthorizedRequest): void {
    const { credentials, status, headers, after } = request;
    const evidence = headers === undefined ? undefined : evidenceIn(headers, credentials);
    this.#recovery = after === undefined ? {} : { auth_recovery_mode: after.mode, auth_recovery_phase: after.phase };
    this.#latest = {
      endpoint: request.endpoint,
      auth_header_attached: String(credentials.kind !== 'none'),
      auth_header_name: credentials.kind === 'none' ? '' : 'authorization',
      auth_mode: authMode(credentials),
      auth_retry_after_unauthorized: String(after !== undefined),
      auth_connection_reused: request.connectionReused === undefined ? '' : String(request.connectionReused),
      auth_request_id: evidence?.requestId ?? '',
      auth_cf_ray: evidence?.cfRay ?? '',
      auth_error: evidence?.error ?? '',
      auth_error_code: evidence?.errorCode ?? '',
      ...(after === undefined
        ? {}
        : {
            auth_recovery_followup_success: String(request.error === undefined),
            auth_recovery_followup_status: status === undefined ? '' : String(status),
          }),
    };
    if (status !== 401 || evidence === undefined) return;
    this.#last401 = {
      auth_401_request_id: evidence.requestId ?? '',
      auth_401_cf_ray: evidence.cfRay ?? '',
      auth_401_error: evidence.error ?? '',
      auth_401_error_code: evidence.errorCode ?? '',
    };
  }

  noteRecovery(report: RecoveryReport): void {
    this.#recovery = {
      auth_recovery_mode: report.mode ?? '',
      auth_recovery_phase: report.step ?? '',
      auth_recovery_outcome: report.outcome,
    };
  }

  get tags(): AuthTags {
    const known = { ...this.#environment, ...this.#last401, ...this.#latest, ...this.#recovery };
    return Object.fromEntries(KEYS.map((key) => [key, known[key] ?? ''])) as AuthTags;
  }
}

/**
 * What the headers of a refusal say, without the token should the server repeat it. The body is not looked at: it may
 * hold anything.
 */
export function evidenceIn(headers: ResponseHeaders, credentials: Credentials): UnauthorizedEvidence {
  const secrets = credentials.kind === 'none' ? [] : [tokenOf(credentials)];
  const clean = (text: string | undefined): string | undefined => text && withoutSecrets(text, secrets);
  return {
    requestId: clean(requestIdOf(headers)),
    cfRay: clean(headerText(headers, 'cf-ray')),
    error: clean(headerText(headers, 'x-openai-authorization-error')),
    errorCode: clean(authErrorCode(headerText(headers, 'x-error-json'))),
  };
}

function tokenOf(credentials: Exclude<Credentials, { readonly kind: 'none' }>): string {
  return credentials.kind === 'api-key' ? credentials.token : credentials.accessToken;
}

/** `error.code` of the base64 JSON in `x-error-json`. */
export function authErrorCode(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  try {
    const body: unknown = JSON.parse(Buffer.from(header, 'base64').toString('utf8'));
    const error = isJsonObject(body) ? objectAt(body, 'error') : undefined;
    return error === undefined ? undefined : stringAt(error, 'code');
  } catch {
    // Not what the header is meant to hold; there is no code then.
    return undefined;
  }
}

function authMode(credentials: Credentials): string {
  if (credentials.kind === 'none') return '';
  return credentials.kind === 'chatgpt' ? 'Chatgpt' : 'ApiKey';
}

/** What the environment offers for credentials, no values. */
export function environmentTags(environment: Environment, provider: ModelProvider): Partial<Record<AuthTag, string>> {
  const present = (name: string | undefined): string =>
    String(name !== undefined && (environment[name] ?? '').trim() !== '');
  return {
    auth_env_openai_api_key_present: present('OPENAI_API_KEY'),
    auth_env_codex_api_key_present: present('CODEX_API_KEY'),
    auth_env_codex_api_key_enabled: String(provider.requiresOpenaiAuth),
    auth_env_provider_key_name: provider.envKey ?? '',
    auth_env_provider_key_present: provider.envKey === undefined ? '' : present(provider.envKey),
    auth_env_refresh_token_url_override_present: present('CODEX_REFRESH_TOKEN_URL_OVERRIDE'),
  };
}
