import type { Attempt } from '../support/attempt.ts';

const NEEDS_ROOT = 'needs root';

/** Files and folders elsewhere, by every way that leads to them. */
export const WRITES: readonly Attempt[] = [
  { id: 'W01', title: 'a new file by its absolute path', steps: ['echo x > "$OUT/new"'] },
  { id: 'W02', title: 'a line added to a file', steps: ['echo x >> "$OUT/kept"'] },
  { id: 'W03', title: 'a path with ..', steps: ['echo x > src/../../outside/new'] },
  { id: 'W04', title: 'a new folder', steps: ['mkdir "$OUT/new"'] },
  { id: 'W05', title: 'a file cut to nothing by its path', steps: [{ perl: 'truncate("$OUT/kept", 0);' }] },
  {
    id: 'W06',
    title: 'a file cut to nothing by opening it for reading',
    steps: [{ perl: 'sysopen(my $file, "$OUT/kept", O_RDONLY | O_TRUNC);' }],
  },
  { id: 'W07', title: 'a file deleted', steps: ['rm -f "$OUT/kept"'] },
  { id: 'W08', title: 'a folder deleted', steps: ['rm -rf "$OUT/folder"'] },
  { id: 'W09', title: 'a file renamed over one outside', steps: [{ perl: 'rename("src/file.txt", "$OUT/kept");' }] },
  { id: 'W10', title: 'a file moved out', steps: ['mv src/file.txt "$OUT/new"'] },
  { id: 'W11', title: 'a file from outside moved in', steps: ['mv "$OUT/kept" src/'] },
  {
    id: 'W12',
    title: 'two files exchanged in one call',
    steps: [
      { perl: 'my ($in, $out) = ("$ROOT/src/file.txt", "$OUT/kept"); sc("renameat2", -100, $in, -100, $out, 2);' },
    ],
  },
  { id: 'W13', title: 'the mode of a file', steps: ['chmod 777 "$OUT/kept"'] },
  {
    id: 'W14',
    title: 'the mode of a file through an open descriptor',
    steps: [{ perl: 'open(my $file, "<", "$OUT/kept"); chmod(0777, $file);' }],
  },
  { id: 'W15', title: 'the owner of a file', steps: ['chown 1 "$OUT/kept"'], canFailUnconfined: NEEDS_ROOT },
  { id: 'W16', title: 'the times of a file', steps: ['touch -d 2001-01-01 "$OUT/kept"'] },
  {
    id: 'W17',
    title: 'an extended attribute of a file',
    steps: [
      {
        perl: 'my ($path, $name, $value) = ("$OUT/kept", "user.quire", "x"); sc("setxattr", $path, $name, $value, 1, 0);',
      },
    ],
    canFailUnconfined: 'the file system has no user attributes',
  },
  {
    id: 'W18',
    title: 'flags of a file through a descriptor open for reading',
    // FS_IOC_SETFLAGS with FS_NODUMP_FL. Source: linux/fs.h.
    steps: [
      { perl: 'open(my $file, "<", "$OUT/kept"); my $flags = pack("L", 0x40); ioctl($file, 0x40086602, $flags);' },
    ],
    canFailUnconfined: 'the file system has no flags',
  },
  { id: 'W19', title: 'a file beside the root', steps: ['echo x > "$PLACE/new"'] },
  { id: 'W20', title: 'a folder whose name begins as that of the root', steps: ['echo x > "$ROOT-more/new"'] },
  { id: 'W21', title: 'the root itself renamed', steps: ['cd /; mv "$ROOT" "$PLACE/moved"'] },
  { id: 'W22', title: 'the root deleted with all that is protected in it', steps: ['cd /; rm -rf "$ROOT"'] },
  {
    id: 'W23',
    title: 'the root replaced by a link, which the next command follows',
    steps: ['cd /; mv "$ROOT" "$PLACE/moved" && ln -s "$OUT" "$ROOT"', 'echo x > "$ROOT/new"'],
  },
  { id: 'W24', title: 'through /proc/self/root', steps: ['echo x > "/proc/self/root$OUT/new"'] },
  { id: 'W25', title: 'through /proc/self/cwd', steps: ['echo x > /proc/self/cwd/../outside/new'] },
  {
    id: 'W26',
    title: 'through the root folder of a process outside',
    beside: 'victim',
    steps: ['echo x > "/proc/$VICTIM/root$OUT/new"'],
  },
  {
    id: 'W27',
    title: 'through the working directory of a process outside',
    beside: 'victim',
    steps: ['echo x > "/proc/$VICTIM/cwd/new"'],
  },
  {
    id: 'W28',
    title: 'through a descriptor of a process outside',
    beside: 'victim',
    steps: ['echo x > "/proc/$VICTIM/fd/$VICTIM_FD"'],
  },
  {
    id: 'W29',
    title: 'through standard input, a file open for reading only',
    steps: [{ sh: 'echo x >> /proc/self/fd/0', stdin: 'outside/kept' }],
  },
  {
    id: 'W30',
    title: 'below standard input, a folder',
    steps: [{ sh: 'echo x > /proc/self/fd/0/new', stdin: 'outside' }],
  },
  {
    id: 'W31',
    title: 'a file without a name that gets one outside',
    steps: [
      {
        // O_TMPFILE, then linkat with AT_SYMLINK_FOLLOW. Source: open(2).
        perl: 'sysopen(my $file, "$ROOT/src", O_RDWR | 0x410000) or exit; my ($from, $to) = ("/proc/self/fd/" . fileno($file), "$OUT/new"); sc("linkat", -100, $from, -100, $to, 0x400);',
      },
    ],
    canFailUnconfined: 'the file system has no files without names',
  },
  {
    id: 'W32',
    title: 'a hard link into the root, written through',
    steps: ['ln "$OUT/kept" src/link && echo x >> src/link'],
  },
  { id: 'W33', title: 'a hard link out of the root', steps: ['ln src/file.txt "$OUT/new"'] },
  { id: 'W34', title: 'a named pipe made outside', steps: ['mkfifo "$OUT/new"'] },
  {
    id: 'W35',
    title: 'a named pipe that a process outside reads',
    beside: 'server',
    steps: [{ perl: 'sysopen(my $pipe, "$OUT/pipe", O_WRONLY | O_NONBLOCK) or exit; syswrite($pipe, "x");' }],
  },
  {
    id: 'W36',
    title: 'the terminal of a process outside',
    beside: 'server',
    steps: [{ perl: 'sysopen(my $terminal, $ENV{TERMINAL}, O_WRONLY | O_NOCTTY) or exit; syswrite($terminal, "x");' }],
    canFailUnconfined: 'no terminals',
  },
  { id: 'W37', title: 'a file in the home folder', steps: ['echo x > "$HOME/new"'] },
  {
    id: 'W38',
    title: 'shared memory of a process outside',
    prepare:
      'test -d /dev/shm && echo kept > "/dev/shm/$(basename "$PLACE")" && ln -s "/dev/shm/$(basename "$PLACE")" outside/memory',
    steps: [
      'name=/dev/shm/$(basename "$PLACE"); test -e "$name" && echo x >> "$name" && echo x > got; true',
      { sh: 'rm -f "/dev/shm/$(basename "$PLACE")"', by: 'outside' },
    ],
  },
];

/** Links of all kinds, and what they point to while somebody looks the other way. */
export const LINKS: readonly Attempt[] = [
  { id: 'L01', title: 'a link that was there', steps: ['echo x > way-out/new'] },
  { id: 'L02', title: 'a link that the command makes', steps: ['ln -s "$OUT" link && echo x > link/new'] },
  { id: 'L03', title: 'a link to a file that is not there yet', steps: ['ln -s "$OUT/new" link && echo x > link'] },
  { id: 'L04', title: 'a link to a file, written through', steps: ['ln -s ../outside/kept link && echo x >> link'] },
  { id: 'L05', title: 'a link to the folder above', steps: ['ln -s .. up && echo x > up/outside/new'] },
  {
    id: 'L06',
    title: 'a chain of links',
    steps: ['ln -s src/two one && ln -s ../three src/two && ln -s way-out/new three && echo x > one'],
  },
  {
    id: 'L07',
    title: 'a link made by one command and followed by the next',
    steps: ['ln -s "$OUT" link', 'echo x > link/new'],
  },
  {
    id: 'L08',
    title: 'the working directory of the next command made a link',
    cwd: 'root/src',
    steps: ['cd ..; mv src moved; ln -s ../outside src', 'cd "$ROOT/src" && echo x > new'],
  },
  {
    id: 'L09',
    title: 'a folder exchanged with a link 1,000 times while somebody writes below it',
    steps: [
      {
        perl: `mkdir "$ROOT/real"; symlink($OUT, "$ROOT/link"); rename("$ROOT/real", "$ROOT/swap");
my $child = fork; if ($child == 0) { my ($one, $two) = ("$ROOT/swap", "$ROOT/link"); while (1) { sc("renameat2", -100, $one, -100, $two, 2); } exit 0; }
for (1 .. 1000) { if (open(my $file, ">", "$ROOT/swap/new")) { print $file "x"; close $file; } select(undef, undef, undef, 0.0001); }
kill('KILL', $child); waitpid($child, 0);`,
      },
    ],
  },
  {
    id: 'L10',
    title: 'a root that is not there yet, made a link for the next command',
    roots: ['root', 'root/later'],
    steps: ['ln -s ../outside later', 'echo x > later/new'],
  },
  {
    id: 'L11',
    title: 'a root below another root, replaced by a link for the next command',
    roots: ['root', 'root/lib'],
    steps: ['mv lib moved; ln -s ../outside lib', 'echo x > lib/new'],
  },
  {
    id: 'L12',
    title: 'the folder above a root below another, replaced by a link for the next command',
    prepare: 'mkdir -p root/deep/folder',
    roots: ['root', 'root/deep/folder'],
    steps: ['mv deep moved; ln -s ../outside deep', 'echo x > deep/folder/new'],
  },
];
