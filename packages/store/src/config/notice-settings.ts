import { isTable } from './layers.ts';
import type { SettingReader } from './setting-reader.ts';

/**
 * Whom a completed turn is told to, and what the user was told of models. Other programs write that, too; entries in it
 * of another form count as not there.
 */
export interface NoticeSettings {
  /** Program and arguments. Not empty. */
  readonly notify: readonly string[] | undefined;
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
    notify: readProgram(owner),
    modelNotices: {
      migrations: Object.fromEntries(
        migrations.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
      ),
      hidden: new Set(notice.flatMap(([name, value]) => (value === true ? [name] : []))),
      showings: Object.fromEntries(showings.map(([slug, count]) => [slug, Number(count)] as const).filter(isCount)),
    },
  };
}

/** @throws ConfigError for what can not be started. An empty list switches one of a lower layer off. */
function readProgram(owner: SettingReader): NoticeSettings['notify'] {
  const setting = { key: 'notify' } as const;
  const argv = owner.stringList(setting);
  if (argv === undefined || argv.length === 0) return undefined;
  if (argv[0]?.trim() === '') throw owner.invalid(setting, 'begins with an empty string; the first one is a program');
  if (argv.some((argument) => argument.includes('\0'))) throw owner.invalid(setting, 'holds a NUL character');
  return argv;
}

function entriesOf(value: unknown): readonly [string, unknown][] {
  return isTable(value) ? Object.entries(value) : [];
}

function isCount([, count]: readonly [string, number]): boolean {
  return Number.isSafeInteger(count) && count >= 0;
}
