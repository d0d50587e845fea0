/** What the model asks for beside the command itself. Source: the approval fields of the peer's shell tools. */
export interface RequestedPermissions {
  readonly escalated: boolean;
  /** Shown to the person who is asked. */
  readonly justification: string | undefined;
  /** A rule that the model proposes. */
  readonly prefixRule: readonly string[] | undefined;
}
