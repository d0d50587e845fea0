import type { Attempt } from '../support/attempt.ts';

/** A second fork and a session of its own; its standard error stays open, by which its end is seen. */
const DAEMON = 'exit if fork; use POSIX (); POSIX::setsid(); exit if fork; close STDOUT;';
/** Tries for a second and a half. */
const AGAIN = 'for (1 .. 150) { select(undef, undef, undef, 0.01);';
const PLANT =
  'mkdir "$ROOT/.codex"; if (open(my $file, ">", "$ROOT/.codex/config.toml")) { print $file "x"; close $file; exit; }';
/** Makes a repository in a folder, and exchanges that folder with a link out again and again until told to stop. */
const EXCHANGE =
  'mkdir "$ROOT/one"; mkdir "$ROOT/one/.git"; mkdir "$ROOT/one/.git/hooks"; symlink("../outside", "$ROOT/two"); my ($one, $two) = ("$ROOT/one", "$ROOT/two"); open(my $file, ">", "$ROOT/began"); close $file; for (1 .. 600) { last if -e "$ROOT/stop"; for (1 .. 20) { sc("renameat2", -100, $one, -100, $two, 2); select(undef, undef, undef, 0.0005); } }';
/** Waits until that has begun, for five seconds. */
const BEGAN = 'for i in $(seq 50); do test -e "$ROOT/began" && break; sleep 0.1; done';
const OPENED = 'needs root, or is not there';
const LIBRARY = `printf '#include <stdio.h>\\n#include <stdlib.h>\\n__attribute__((constructor)) static void go(void) { char path[4096]; snprintf(path, sizeof path, "%%s/new", getenv("OUT")); FILE *file = fopen(path, "w"); if (file) fclose(file); }\\n' > outside/library.c; gcc -shared -fPIC -o outside/library.so outside/library.c`;
/** A module of perl that writes outside as soon as it is loaded. */
const MODULE = 'BEGIN { if (open(my $file, ">", "$ENV{OUT}/new")) { close $file; } } 1;';

/** What happens after a command has ended, before the next begins, or to what starts the next. */
export const DELAY: readonly Attempt[] = [
  {
    id: 'D01',
    title: 'a daemon that writes outside when the command has ended',
    steps: [{ perl: `${DAEMON} ${AGAIN} if (open(my $file, ">", "$OUT/new")) { close $file; exit; } }` }],
  },
  {
    id: 'D02',
    title: 'a daemon that makes .codex when the command has ended',
    steps: [{ perl: `${DAEMON} ${AGAIN} ${PLANT} }` }],
  },
  {
    id: 'D03',
    title: 'a daemon that makes .git when the command has ended',
    prepare: 'rm -rf root/.git',
    steps: [
      {
        perl: `${DAEMON} ${AGAIN} mkdir "$ROOT/.git"; if (open(my $file, ">", "$ROOT/.git/config")) { close $file; exit; } }`,
      },
    ],
  },
  {
    id: 'D04',
    title: 'a command that makes .codex when another, which began before it, has ended',
    steps: [
      {
        perl: 'open(my $file, ">", "$ROOT/began"); close $file; for (1 .. 500) { last if -e "$ROOT/go"; select(undef, undef, undef, 0.01); }',
        runsOn: true,
      },
      { perl: `open(my $file, ">", "$ROOT/go"); close $file; ${AGAIN} ${PLANT} }` },
    ],
  },
  {
    id: 'D05',
    title: 'a command that makes .codex when that of another owner, which began before it, has ended',
    steps: [
      {
        perl: 'for (1 .. 500) { last if -e "$ROOT/go"; select(undef, undef, undef, 0.01); }',
        runsOn: true,
        owner: 'second',
      },
      { perl: `open(my $file, ">", "$ROOT/go"); close $file; ${AGAIN} ${PLANT} }` },
    ],
  },
  {
    id: 'D06',
    title: 'a daemon that makes .codex between two commands',
    steps: [
      {
        perl: `use POSIX (); my $child = fork; if ($child == 0) { POSIX::setsid(); ${AGAIN} ${PLANT} } exit 0; }`,
        runsOn: true,
      },
      'true',
      'true',
    ],
  },
  {
    id: 'D17',
    title: 'a folder above a repository, exchanged with a link while other commands start',
    steps: [
      { perl: EXCHANGE, runsOn: true },
      { sh: BEGAN, by: 'outside' },
      ...Array.from({ length: 12 }, () => ({
        sh: 'echo x > "$OUT/new"; echo x > "$ROOT/one/new"',
        owner: 'second' as const,
      })),
      { sh: 'touch "$ROOT/stop"', by: 'outside' as const },
    ],
  },
  {
    id: 'D18',
    title: 'a root below another root, exchanged with a link while other commands start',
    roots: ['root', 'root/one'],
    steps: [
      { perl: EXCHANGE, runsOn: true },
      { sh: BEGAN, by: 'outside' },
      ...Array.from({ length: 12 }, () => ({
        sh: 'echo x > "$OUT/new"; echo x > "$ROOT/one/new"',
        owner: 'second' as const,
      })),
      { sh: 'touch "$ROOT/stop"', by: 'outside' as const },
    ],
  },
  {
    id: 'D07',
    title: 'what other commands are confined with, through an inherited descriptor',
    steps: [
      {
        perl: 'for my $fd (3 .. 20) { my $path = readlink("/proc/self/fd/$fd") or next; next if $path =~ m{^(/proc|pipe:|socket:|/dev)}; if (sysopen(my $file, "/proc/self/fd/$fd", O_RDWR)) { got(); } }',
        inherits: 'outside/kept',
      },
    ],
  },
  {
    id: 'D08',
    title: 'a module of perl in a folder that the environment names',
    environment: { PERL5LIB: 'PLACE/root/modules' },
    steps: [
      { sh: `mkdir modules; for name in strict warnings Socket; do echo '${MODULE}' > modules/$name.pm; done` },
      { sh: 'perl -e "use strict; 1"' },
    ],
  },
  {
    id: 'D09',
    title: 'a module of perl that the environment asks for',
    environment: { PERL5LIB: 'PLACE/root/modules', PERL5OPT: '-Mplanted' },
    prepare: 'mkdir root/modules; echo "1;" > root/modules/planted.pm',
    steps: [`echo '${MODULE}' > modules/planted.pm`, 'perl -e 1'],
  },
  {
    id: 'D10',
    title: 'a library that the environment loads first',
    environment: { LD_PRELOAD: 'PLACE/root/library.so' },
    needs: ['gcc'],
    prepare: LIBRARY,
    steps: ['cp "$OUT/library.so" library.so', 'true; /bin/true'],
  },
  {
    id: 'D11',
    title: 'a library that the environment lets watch the loader',
    environment: { LD_AUDIT: 'PLACE/root/library.so' },
    needs: ['gcc'],
    prepare: LIBRARY,
    steps: ['cp "$OUT/library.so" library.so', 'true; /bin/true'],
  },
  {
    id: 'D12',
    title: 'a library in a folder that the environment names',
    environment: { LD_LIBRARY_PATH: 'PLACE/root/libraries' },
    needs: ['gcc'],
    prepare: LIBRARY,
    steps: [
      'mkdir libraries; for name in libcap.so.2 libselinux.so.1 libcrypt.so.1; do cp "$OUT/library.so" libraries/$name; done',
      'perl -e 1; ls; mount --version',
    ],
  },
  {
    id: 'D13',
    title: 'the timetable of the system, opened for writing',
    steps: [
      {
        perl: 'for (qw(/etc/crontab /etc/cron.d /var/spool/cron /etc/cron.daily)) { got() if -d $_ ? -w $_ && sysopen(my $file, $_, O_RDWR | 0x410000) : sysopen(my $file, $_, O_WRONLY | O_APPEND); }',
      },
    ],
    canFailUnconfined: OPENED,
  },
  {
    id: 'D14',
    title: 'a job for later',
    steps: ['echo "echo x > \\"$OUT/new\\"" | at now'],
    needs: ['at'],
    canFailUnconfined: 'no daemon runs jobs',
  },
  {
    id: 'D15',
    title: 'a unit of the user’s service manager',
    steps: ['systemd-run --user --wait touch "$OUT/new"'],
    needs: ['systemd-run'],
    canFailUnconfined: 'no service manager runs',
  },
  {
    id: 'D16',
    title: 'the configuration of the system’s loader, opened for writing',
    steps: [
      {
        perl: 'for (qw(/etc/ld.so.preload /etc/ld.so.conf /etc/profile /etc/environment)) { got() if sysopen(my $file, $_, O_WRONLY | O_APPEND); }',
      },
    ],
    canFailUnconfined: OPENED,
  },
];
