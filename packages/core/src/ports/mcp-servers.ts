import type { JsonObject, JsonValue } from '@quire/protocol';
import type { ElicitationAnswer, ElicitationRequest } from './approvals.ts';

/** When a person is asked before a tool of a server runs; `auto` goes by what the server says of the tool. */
export type McpApprovalMode = 'auto' | 'prompt' | 'writes' | 'approve';

export interface McpStdioTransport {
  readonly kind: 'stdio';
  readonly command: string;
  readonly args: readonly string[];
  /** Given to the server beside the few variables that every server gets. */
  readonly env: Readonly<Record<string, string>> | undefined;
  /** Names of variables that are passed on. */
  readonly envVars: readonly string[];
  /** Absolute. Absent: the working directory of the thread. */
  readonly cwd: string | undefined;
}

export interface McpHttpTransport {
  readonly kind: 'streamable-http';
  readonly url: string;
  /** Environment variable that holds a bearer token. */
  readonly bearerTokenEnvVar: string | undefined;
  readonly httpHeaders: Readonly<Record<string, string>> | undefined;
  /** Header names, and the environment variables that hold their values. */
  readonly envHttpHeaders: Readonly<Record<string, string>> | undefined;
  /** For logins; absent: the client is registered when it is needed. */
  readonly oauthClientId: string | undefined;
  readonly oauthResource: string | undefined;
  /** Absent: what the server names. */
  readonly scopes: readonly string[] | undefined;
}

/** One MCP server as configured. */
export interface McpServerConfig {
  readonly name: string;
  readonly enabled: boolean;
  /** A thread does not begin without it. */
  readonly required: boolean;
  readonly transport: McpStdioTransport | McpHttpTransport;
  /** From the start to the list of tools. Absent: 10 s. */
  readonly startupTimeoutMs: number | undefined;
  /** Of one call, without the time that people take to answer. Absent: 60 s. */
  readonly toolTimeoutMs: number | undefined;
  /** Only these. Absent: all. */
  readonly enabledTools: readonly string[] | undefined;
  readonly disabledTools: readonly string[] | undefined;
  readonly approvalMode: McpApprovalMode | undefined;
  /** Approval modes of single tools. */
  readonly toolApprovalModes: Readonly<Record<string, McpApprovalMode>>;
  /** Calls of its tools may overlap. Absent: those that only read may. */
  readonly parallelToolCalls: boolean | undefined;
}

/** What a server says of a tool. Absent: it does not say. */
export interface McpToolHints {
  readonly readOnly?: boolean;
  readonly destructive?: boolean;
  readonly openWorld?: boolean;
}

export interface McpTool {
  /** Under which a model calls it: unique, at most 64 characters of `A-Z a-z 0-9 _ -`. */
  readonly callName: string;
  readonly server: string;
  /** As the server calls it. */
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
  readonly hints: McpToolHints;
  readonly approvalMode: McpApprovalMode;
  readonly parallelSafe: boolean;
}

export type McpToolOutcome =
  | {
      readonly kind: 'answered';
      /** Content blocks as the server gave them. */
      readonly content: readonly JsonObject[];
      readonly structuredContent: JsonValue | undefined;
      /** The tool says that it failed. */
      readonly isError: boolean;
    }
  /** The server could not be asked, or did not answer properly; `reason` says what to do. */
  | { readonly kind: 'failed'; readonly reason: string };

export type McpReading<Value> =
  | { readonly kind: 'read'; readonly value: Value }
  | { readonly kind: 'failed'; readonly reason: string };

/** Resources, or templates of them, as the server gave them. */
export interface McpResourcePage {
  readonly entries: readonly JsonObject[];
  readonly nextCursor: string | undefined;
}

export type McpResourceKind = 'resources' | 'resource-templates';

export interface McpCallOptions {
  readonly signal: AbortSignal;
}

/** The servers of a thread. Every method is bounded; none rejects but with the reason of `signal`. */
export interface McpServers {
  /** Names of all that are enabled, ready or not, in alphabetical order. */
  readonly serverNames: readonly string[];
  /** Of the servers that were reached, sorted by `callName`; the very same array as long as nothing changed. */
  readonly tools: readonly McpTool[];
  /** A server that went away is started again, a few times. */
  callTool(
    call: { readonly server: string; readonly tool: string; readonly arguments: JsonObject },
    options: McpCallOptions & {
      /** Called when the server wants a form filled in. Absent: it is told that nobody does. */
      readonly elicit?: (
        request: ElicitationRequest,
        options: { readonly signal: AbortSignal },
      ) => Promise<ElicitationAnswer>;
    },
  ): Promise<McpToolOutcome>;
  /** One page. */
  listResources(
    query: { readonly kind: McpResourceKind; readonly server: string; readonly cursor: string | undefined },
    options: McpCallOptions,
  ): Promise<McpReading<McpResourcePage>>;
  /** The answer as the server gave it. */
  readResource(
    query: { readonly server: string; readonly uri: string },
    options: McpCallOptions,
  ): Promise<McpReading<JsonObject>>;
}
