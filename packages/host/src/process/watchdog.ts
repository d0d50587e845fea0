import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { findLimiter, limitMarkOf, withLimitMark } from './limit-mark.ts';
import type { Environment } from './login-shell.ts';
import { killLimitedProcesses, OWNER_VARIABLE } from './marked-processes.ts';

/**
 * Reads one order a line: `+ G` and `- G` a process group began and is gone, `q` leave without doing anything. The end
 * of its input means that the owner died by whatever means. Then it asks the groups, and every other process with the
 * owner's token in its environment, to end; all have 0.7 s to remove their lock files. After that it kills the groups,
 * and processes with the token until two looks in a row find none (an exec in progress hides a process for a moment).
 * The groups of those with the token count as announced: the owner may have died before it could say so. Last, the
 * owner's private directory is removed.
 *
 * What has neither the group nor the token is found by the mark among its limits; and at the start by its parents and by
 * what it prints to (pipes in the owner's private directory), and killed with the rest.
 *
 * Each group is asked once, and those with the token are found before: what a trap starts must not be hit.
 */
const SCRIPT = `trap '' HUP INT TERM
owner=$1 directory=$2 limit=$3 groups=' '
while read -r order value; do
  case $order in
    +) groups="$groups$value " ;;
    -) groups="\${groups%% $value *} \${groups#* $value }" ;;
    q) exit 0 ;;
  esac
done
marked() {
  grep -lF -- "$owner" /proc/[0-9]*/environ 2>/dev/null
  for file in $(grep -lF -- "$limit" /proc/[0-9]*/limits 2>/dev/null); do
    read -r stat 2>/dev/null < "\${file%limits}stat" || continue
    case \${stat##*") "} in [ZX]*) ;; *) echo "$file" ;; esac
  done
}
are_gone() {
  for group in $groups; do kill -s 0 -- "-$group" 2>/dev/null && return 1; done
  [ -z "$(marked)" ]
}
for file in $(marked); do
  process=\${file#/proc/}
  process=\${process%%/*}
  read -r stat 2>/dev/null < "/proc/$process/stat" || continue
  state_parent_group=\${stat##*") "}
  set -- $state_parent_group
  case $groups in *" $3 "*) ;; *) groups="$groups$3 " ;; esac
done
stats=' ' hidden=' ' found=1
for file in /proc/[0-9]*/stat; do
  read -r stat 2>/dev/null < "$file" || continue
  state_parent_group=\${stat##*") "}
  set -- $state_parent_group
  case $groups in *" $3 "*) hidden="$hidden\${stat%% *} " ;; *) stats="$stats\${stat%% *}:$2 " ;; esac
done
for file in $(find /proc/[0-9]*/fd -maxdepth 1 -lname "$directory/*" 2>/dev/null); do
  process=\${file#/proc/}
  hidden="$hidden\${process%%/*} "
done
while [ $found = 1 ]; do
  found=0
  for entry in $stats; do
    case $hidden in *" \${entry%:*} "*) continue ;; esac
    case $hidden in *" \${entry#*:} "*) hidden="$hidden\${entry%:*} " found=1 ;; esac
  done
done
for group in $groups; do kill -s TERM -- "-$group" 2>/dev/null; done
sleep 0.7 &
timer=$!
while kill -s 0 "$timer" 2>/dev/null && ! are_gone; do sleep 0.03; done
kill -s KILL "$timer" 2>/dev/null
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
for process in $hidden; do kill -s KILL "$process" 2>/dev/null; done
empty=0 round=0
while [ -r /proc/self/environ ] && [ $empty -lt 2 ] && [ $round -lt 40 ]; do
  round=$((round + 1)) empty=$((empty + 1))
  for file in $(marked); do
    process=\${file#/proc/}
    kill -s KILL "\${process%%/*}" 2>/dev/null && empty=0
  done
  [ $empty -lt 2 ] && sleep 0.02
done
rm -rf -- "$directory"
`;

const EXIT_WAIT_MS = 250;
const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';

/** Sees to it that nothing a runner started outlives this process, `kill -9` included. */
export class Watchdog {
  readonly #token: string;
  readonly #groups = new Set<number>();
  readonly #directory: string;
  readonly #limitMark: string;
  #hasMarked = false;
  #child: ChildProcess | undefined;
  #isClosed = false;

  constructor(options: {
    /** Unguessable, hexadecimal; part of the environment of every process to be watched. */
    readonly token: string;
    /** Absolute. Removed when the owner dies; need not exist. */
    readonly directory: string;
  }) {
    this.#token = options.token;
    this.#directory = options.directory;
    this.#limitMark = limitMarkOf(options.token);
  }

  /** Starts the watching process if it does not run. Call it before anything is started that needs watching. */
  start(): void {
    if (this.#isClosed || this.#child !== undefined) return;
    const marker = `${OWNER_VARIABLE}=${this.#token}`;
    const args = ['-c', SCRIPT, 'quire-watchdog', marker, this.#directory, this.#limitMark];
    const child = spawn('/bin/sh', args, {
      cwd: '/',
      detached: true,
      env: { PATH: SYSTEM_PATH },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const forget = (): void => {
      if (this.#child === child) this.#child = undefined;
    };
    child.once('exit', forget);
    child.once('error', forget);
    child.stdin?.on('error', forget);
    child.unref();
    if (child.stdin instanceof Socket) child.stdin.unref();
    this.#child = child;
    for (const group of this.#groups) this.#send(`+ ${group}`);
    void findLimiter(); // takes a moment
  }

  /** The program to start instead, so that its offspring is found whatever it does. The same one where that can not be. */
  async marked(
    argv: readonly [string, ...string[]],
    from: { readonly cwd: string; readonly environment: Environment },
  ): Promise<readonly [string, ...string[]]> {
    this.#hasMarked = true;
    return withLimitMark(argv, { limiter: await findLimiter(), text: this.#limitMark }, from);
  }

  /** For processes that shed their environment, and for systems where it can not be read. */
  addGroup(groupId: number): void {
    this.#groups.add(groupId);
    this.#send(`+ ${groupId}`);
  }

  removeGroup(groupId: number): void {
    if (this.#groups.delete(groupId)) this.#send(`- ${groupId}`);
  }

  /** Kills what is left of all that was marked, dismisses the watching process and waits, within a bound, until it is gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#hasMarked) await killLimitedProcesses(this.#limitMark);
    const child = this.#child;
    if (child === undefined) return;
    const timeout = AbortSignal.timeout(EXIT_WAIT_MS);
    const exited = once(child, 'exit', { signal: timeout });
    child.ref();
    this.#send('q');
    child.stdin?.end();
    try {
      await exited;
    } catch {
      child.kill('SIGKILL'); // it ignores every other signal
    } finally {
      child.unref();
    }
  }

  #send(order: string): void {
    const stdin = this.#child?.stdin;
    if (stdin?.writable === true) stdin.write(`${order}\n`);
  }
}
