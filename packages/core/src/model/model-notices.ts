import type { ModelPreset } from './presets.ts';
import { nearestEffort } from './turn/reasoning.ts';

export interface UpgradeOffer {
  readonly from: string;
  readonly to: string;
  /** For people, as Markdown; may be empty. */
  readonly migrationMarkdown: string;
  /** The effort that takes the place of the current one. */
  readonly reasoningEffort: string | undefined;
}

/** What people answered to earlier offers. Source: `[notice]` of the configuration. */
export interface NoticeRecord {
  /** `notice.model_migrations`: old slug to new one. */
  readonly migrations: Readonly<Record<string, string>>;
  /** Older flags of the same table that are set. */
  readonly hidden: ReadonlySet<string>;
}

/** The flag that an offer of this model obeys. Source: facts, upgrade prompt; which flag is for which model: a guess. */
const HIDDEN_BY: ReadonlyMap<string, string> = new Map([
  ['gpt-5.1', 'hide_gpt5_1_migration_prompt'],
  ['gpt-5.1-codex-max', 'hide_gpt-5.1-codex-max_migration_prompt'],
]);

/** The offer to follow the current model's upgrade: to another model, one that is listed, once a pair. */
export function upgradeOffer(
  presets: readonly ModelPreset[],
  current: { readonly model: string; readonly reasoningEffort: string | undefined },
  record: NoticeRecord,
): UpgradeOffer | undefined {
  const upgrade = presets.find(({ id }) => id === current.model)?.upgrade;
  if (upgrade === undefined || upgrade.model === current.model) return undefined;
  const target = presets.find(({ id, isListed }) => id === upgrade.model && isListed);
  if (target === undefined) return undefined;
  const known = Object.hasOwn(record.migrations, current.model) ? record.migrations[current.model] : undefined;
  const flag = HIDDEN_BY.get(upgrade.model);
  if (known === upgrade.model || (flag !== undefined && record.hidden.has(flag))) return undefined;
  const { reasoningEffort } = current;
  return {
    from: current.model,
    to: upgrade.model,
    migrationMarkdown: upgrade.migrationMarkdown,
    reasoningEffort: reasoningEffort === undefined ? undefined : nearestEffort(target, reasoningEffort),
  };
}

/** How often one notice is shown. Source: facts, availability notices. */
const MOST_SHOWINGS = 4;

/**
 * The first notice that was not shown often enough yet.
 *
 * @param showings by slug, `tui.model_availability_nux` of the configuration
 */
export function nextAvailabilityNotice(
  presets: readonly ModelPreset[],
  showings: Readonly<Record<string, number>>,
): { readonly model: string; readonly message: string; readonly showings: number } | undefined {
  for (const { id, availabilityNotice } of presets) {
    const shown = (Object.hasOwn(showings, id) ? showings[id] : undefined) ?? 0;
    if (availabilityNotice !== undefined && shown < MOST_SHOWINGS) {
      return { model: id, message: availabilityNotice, showings: shown + 1 };
    }
  }
  return undefined;
}
