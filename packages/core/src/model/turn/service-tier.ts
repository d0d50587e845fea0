import type { ModelInfo } from '@quire/protocol';

/** What Fast mode is called in the configuration, and on the wire. */
const FAST = 'fast';
const PRIORITY = 'priority';
/** Offered whether a model says so or not. Source: observed with peer 0.169. */
const FLEX = 'flex';
/** Words for the usual service. */
const USUAL: ReadonlySet<string> = new Set(['standard', 'default']);

export interface ServiceTierChoice {
  /** Chosen for this turn: `null` is the usual service whatever is configured, `undefined` no choice. */
  readonly turn: string | null | undefined;
  /** `service_tier` of the configuration. */
  readonly configured: string | undefined;
  /** The feature `fast_mode`. */
  readonly fastMode: boolean;
}

export interface ServiceTierResolution {
  /** The wire's word; `undefined` leaves the field out. */
  readonly tier: string | undefined;
  /** A sentence for people: what was chosen is not sent. */
  readonly note?: string;
}

/**
 * The service tier of a request. `fast` is `priority` on the wire and needs Fast mode. A tier that the model does not
 * offer is left out with a note; models of which nobody said what they offer are trusted, unknown models are not.
 * Source: facts, Fast mode.
 */
export function resolveServiceTier(model: ModelInfo, choice: ServiceTierChoice): ServiceTierResolution {
  const chosen = choice.turn === undefined ? choice.configured : choice.turn;
  if (chosen === undefined || chosen === null || USUAL.has(chosen)) return { tier: undefined };
  const tier = chosen === FAST ? PRIORITY : chosen;
  if (tier === PRIORITY && !choice.fastMode) {
    return { tier: undefined, note: `The service tier ${chosen} is left out: the feature fast_mode is off.` };
  }
  if (tier === FLEX || offers(model, tier)) return { tier };
  return {
    tier: undefined,
    note: `${model.slug} is not known to offer the service tier ${chosen}, so it is left out.`,
  };
}

function offers({ serviceTiers, isFallback }: ModelInfo, tier: string): boolean {
  return serviceTiers === undefined ? !isFallback : serviceTiers.includes(tier);
}
