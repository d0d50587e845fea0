export { applyUpdate } from './apply-update.ts';
export { detectPatchArgv, detectPatchScript } from './detect-patch-call.ts';
export {
  type ParsedPatch,
  type PatchChunk,
  type PatchLine,
  parsePatch,
} from './parse-patch.ts';
export { PatchError, patchFailureText } from './patch-error.ts';
export { type PlacedEdits, placeEdits } from './place-edits.ts';
export { type PatchPlan, type PlannedFile, planPatch } from './plan-patch.ts';
export { freeformPatchTool, functionPatchTool } from './tool-specs.ts';
export { diffHunks, unifiedDiff } from './unified-diff.ts';
