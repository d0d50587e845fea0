import type { TurnChoices } from '@quire/core';

/** Nobody chose anything: models decide. */
export const NO_CHOICES: TurnChoices = {
  reasoningEffort: { turn: undefined, planMode: undefined, configured: undefined },
  reasoningSummary: { turn: undefined, configured: undefined },
  verbosity: undefined,
  personality: { feature: true, turn: undefined, configured: undefined, stored: undefined },
  serviceTier: { turn: undefined, configured: undefined, fastMode: true },
  allowedWebSearchModes: undefined,
  tools: { shell: true, unifiedExec: false, enabled: new Set(), disabled: new Set(), originalImages: false },
};
