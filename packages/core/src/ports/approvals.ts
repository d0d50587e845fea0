import type { FileChangeSummary, JsonObject, JsonValue, TurnId } from '@quire/protocol';

interface RequestBase {
  readonly turnId: TurnId;
  /** The call of the model that it is about. */
  readonly callId: string;
  /** Why it is asked for: the model's justification, the rule's, or what went wrong in the sandbox. */
  readonly reason: string | undefined;
}

/** Something that a person, or the program in their place, has to allow. What is shown is exactly what runs. */
export type ApprovalRequest =
  | (RequestBase & {
      readonly kind: 'command';
      readonly argv: readonly string[];
      /** Absolute. */
      readonly cwd: string;
      /** Variables that it gets beside those that every command gets. */
      readonly environment: Readonly<Record<string, string>>;
      /** It runs without a sandbox when it is allowed. */
      readonly unconfined: boolean;
      /** Beginning of the argument vector that could be allowed for good. */
      readonly proposedRule: readonly string[] | undefined;
    })
  | (RequestBase & {
      readonly kind: 'patch';
      readonly changes: readonly FileChangeSummary[];
    })
  | (RequestBase & {
      readonly kind: 'tool';
      /** As the model called it, such as `mcp__server__tool`. */
      readonly tool: string;
      readonly input: JsonValue;
    });

export type ApprovalDecision =
  | { readonly kind: 'approved' }
  /** And the same again for the rest of the session. */
  | { readonly kind: 'approved-for-session' }
  /** And whatever begins like this, for good. Only for commands. */
  | { readonly kind: 'approved-with-rule'; readonly rule: readonly string[] }
  /** `reason` is told to the model. */
  | { readonly kind: 'denied'; readonly reason?: string }
  /** Denied, and the turn ends. */
  | { readonly kind: 'aborted' };

/** A form that an MCP server asks to be filled in. */
export interface ElicitationRequest {
  readonly server: string;
  readonly message: string;
  /** JSON Schema of a flat object; absent when `url` is to be visited instead. */
  readonly schema: JsonObject | undefined;
  readonly url: string | undefined;
}

export type ElicitationAnswer =
  | { readonly kind: 'accepted'; readonly content: JsonObject }
  | { readonly kind: 'declined' }
  | { readonly kind: 'cancelled' };

export interface Question {
  readonly id: string;
  readonly header: string;
  readonly question: string;
  readonly options: readonly { readonly label: string; readonly description: string }[];
}

/** Answers by question id; `undefined`: nobody answered. */
export type QuestionAnswers = Readonly<Record<string, readonly string[]>> | undefined;

/** Who is asked. Every method is bounded by the implementation: no answer in time is a denial. Never rejects but with the reason of `signal`. */
export interface Approvals {
  ask(request: ApprovalRequest, options: { readonly signal: AbortSignal }): Promise<ApprovalDecision>;
  /** Absent: nobody can fill in forms. */
  elicit?(request: ElicitationRequest, options: { readonly signal: AbortSignal }): Promise<ElicitationAnswer>;
  /** Absent: nobody can be asked questions. */
  answer?(
    questions: readonly Question[],
    options: { readonly callId: string; readonly turnId: TurnId; readonly signal: AbortSignal },
  ): Promise<QuestionAnswers>;
}
