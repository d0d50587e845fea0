export { applyUpdate } from './apply-update.ts';
export { detectPatchCall, detectPatchScript, type PatchCall } from './detect-patch-call.ts';
export {
  looksLikePatch,
  type ParsedPatch,
  type PatchChunk,
  type PatchLine,
  type PatchSection,
  parsePatch,
} from './parse-patch.ts';
export { PatchError, type PatchErrorCode, patchFailureText } from './patch-error.ts';
export { type PatchPlan, type PlannedFile, planPatch } from './plan-patch.ts';
export { freeformPatchTool, functionPatchTool } from './tool-specs.ts';
export { type DiffHunks, diffHunks, unifiedDiff } from './unified-diff.ts';
