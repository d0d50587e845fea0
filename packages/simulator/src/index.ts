export type { AllowRewrite } from './invariants/thread-history.ts';
export type { RecordedModelsRequest, RecordedRequest, RecordedToolOutput } from './recorded-request.ts';
export {
  createDemoProject,
  DEMO_VARIANTS,
  type DemoFile,
  type DemoProject,
  type DemoVariant,
  type DemoVariantName,
} from './rehearsal/demo-project.ts';
export { createRepairRehearsal, type RepairRehearsalOptions } from './rehearsal/repair-rehearsal.ts';
export {
  cutAfterBytes,
  cutAfterEvents,
  delay,
  endAfterBytes,
  endAfterEvents,
  missingCompletion,
  refuse,
  reset,
  type StatusOptions,
  slowChunks,
  stall,
  status,
} from './script/faults.ts';
export {
  type CallOptions,
  customToolCall,
  functionCall,
  type ReasoningOptions,
  rawItem,
  reasoning,
  type TextOptions,
  text,
  webSearch,
} from './script/items.ts';
export { type LoadedScript, loadScript } from './script/load-script.ts';
export { comment, event, malformedEvent, type Output, rawBytes } from './script/output.ts';
export {
  type CompletedOptions,
  completed,
  DEFAULT_USAGE,
  failed,
  incomplete,
  type RespondOptions,
  respond,
  respondExactly,
  type Usage,
} from './script/respond.ts';
export { type Rehearsal, rehearse } from './script/script.ts';
export {
  type Answer,
  type AnswerContext,
  type BodyPosition,
  type ConditionalStep,
  type Delivery,
  type NoAnswer,
  type StatusAnswer,
  type Step,
  type StepFunction,
  type StopManner,
  type StreamAnswer,
  type StreamPart,
  when,
} from './script/step.ts';
export type { Outcome } from './server/deliver.ts';
export { Simulator, type SimulatorOptions } from './simulator.ts';
export { SimulatorError, type SimulatorErrorCode } from './simulator-error.ts';
export { precompute } from './sse/precompute.ts';
export type { WaitOptions } from './waiting.ts';
