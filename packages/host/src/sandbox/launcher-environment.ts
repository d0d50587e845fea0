/**
 * Variables by which the loader of programs, the C library or perl run code of one's choosing. A launcher starts
 * unconfined, so it must not see them: a file that they name may be one that a confined command has written. And those
 * of languages, about which perl complains on standard error when one is not installed.
 */
const WITHHELD =
  /^(?:LANG$|LANGUAGE$|LC_|LD_|PERL|GLIBC_TUNABLES$|GCONV_PATH$|GETCONF_DIR$|LOCPATH$|MUSL_LOCPATH$|NLSPATH$|MALLOC_|HOSTALIASES$|NIS_PATH$|RESOLV_HOST_CONF$|RES_OPTIONS$|LOCALDOMAIN$|TZDIR$)/;

type Variables = Readonly<Record<string, string>>;

export interface LauncherEnvironment {
  /** For the launcher. */
  readonly launcher: Variables;
  /** For the command only; the launcher sets them in the end. */
  readonly withheld: readonly (readonly [name: string, value: string])[];
}

export function splitEnvironment(environment: Variables): LauncherEnvironment {
  const all = Object.entries(environment);
  return {
    launcher: Object.fromEntries(all.filter(([name]) => !WITHHELD.test(name))),
    withheld: all.filter(([name]) => WITHHELD.test(name)),
  };
}
