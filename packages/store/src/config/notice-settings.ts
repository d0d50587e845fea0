import { isTable } from './layers.ts';
import type { SettingReader } from './setting-reader.ts';

/** What the user was told of models. Other programs write it, too; entries in it of another form count as not there. */
export interface NoticeSettings {
  readonly modelNotices: {
    /** `notice.model_migrations`: offers that were answered, from old slug to new one. */
    readonly migrations: Readonly<Record<string, string>>;
    /** Older switches of the table `notice` that are on. */
    readonly hidden: ReadonlySet<string>;
    /** `tui.model_availability_nux`: how often the notice of a model was shown, by slug. */
    readonly showings: Readonly<Record<string, number>>;
  };
}

/** @param owner without a project, which has no say in it */
export function readNoticeSettings(owner: SettingReader): NoticeSettings {
  const notice = entriesOf(owner.table({ key: 'notice' }));
  const migrations = entriesOf(notice.find(([name]) => name === 'model_migrations')?.[1]);
  const showings = entriesOf(owner.table({ key: 'tui.model_availability_nux' }));
  return {
    modelNotices: {
      migrations: Object.fromEntries(
        migrations.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
      ),
      hidden: new Set(notice.flatMap(([name, value]) => (value === true ? [name] : []))),
      showings: Object.fromEntries(showings.map(([slug, count]) => [slug, Number(count)] as const).filter(isCount)),
    },
  };
}

function entriesOf(value: unknown): readonly [string, unknown][] {
  return isTable(value) ? Object.entries(value) : [];
}

function isCount([, count]: readonly [string, number]): boolean {
  return Number.isSafeInteger(count) && count >= 0;
}
