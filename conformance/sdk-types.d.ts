/** The part of the SDK's surface that the cases use. The package itself is installed on demand, so types can not come from it. */
export interface SdkOptions {
  codexPathOverride?: string;
  baseUrl?: string;
  apiKey?: string;
  config?: Record<string, unknown>;
  configOverrides?: string[];
  env?: Record<string, string>;
}

export interface SdkThreadOptions {
  model?: string;
  threadSource?: string;
  sandboxMode?: string;
  workingDirectory?: string;
  skipGitRepoCheck?: boolean;
  modelReasoningEffort?: string;
  networkAccessEnabled?: boolean;
  webSearchMode?: string;
  approvalPolicy?: string;
  additionalDirectories?: string[];
}

export interface SdkTurnOptions {
  outputSchema?: unknown;
  signal?: AbortSignal;
}

export type SdkInput = string | ({ type: 'text'; text: string } | { type: 'local_image'; path: string })[];
export type SdkItem = { id: string; type: string } & Record<string, unknown>;
export type SdkEvent = { type: string; item?: SdkItem; thread_id?: string; message?: string } & Record<string, unknown>;

export interface SdkThread {
  readonly id: string | null;
  run(input: SdkInput, options?: SdkTurnOptions): Promise<SdkTurn>;
  runStreamed(input: SdkInput, options?: SdkTurnOptions): Promise<{ events: AsyncGenerator<SdkEvent> }>;
}

export interface SdkTurn {
  items: SdkItem[];
  finalResponse: string;
  usage: Record<string, number> | null;
}

export interface Sdk {
  Codex: new (
    options?: SdkOptions,
  ) => {
    startThread(options?: SdkThreadOptions): SdkThread;
    resumeThread(id: string, options?: SdkThreadOptions): SdkThread;
  };
}
