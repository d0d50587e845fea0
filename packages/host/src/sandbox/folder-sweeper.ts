import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { withoutTerminals } from '../process/terminal.ts';

/**
 * Its arguments are the paths of empty folders that were made. Reads one order a line: `+PATH` another one was made,
 * `-PATH` it is gone, `q` leave without doing anything. The end of its input means that the owner ended by whatever
 * means. Then it waits, ten seconds at most, until nothing is mounted on the folders for any process: until all that was
 * confined is gone. Then it removes those that are empty, but none whose path leads through a link by now.
 */
const SCRIPT = `trap '' HUP INT TERM
newline='
'
held=$newline
for path; do held="$held$path$newline"; done
while IFS= read -r order; do
  path=\${order#?}
  case $order in
    +*) held="$held$path$newline" ;;
    -*) case $held in *"$newline$path$newline"*)
      held="\${held%%"$newline$path$newline"*}$newline\${held#*"$newline$path$newline"}" ;;
    esac ;;
    q) exit 0 ;;
  esac
done
[ "$held" != "$newline" ] || exit 0
IFS=$newline
in_mountinfo=$(printf %s "$held" | sed 's/ /\\\\040/g')
is_mounted() {
  set -f
  set -- $in_mountinfo
  set +f
  for name; do grep -qsF -- " $name " /proc/[0-9]*/mountinfo && return 0; done
  return 1
}
quiet=0 round=0
while [ $quiet -lt 2 ]; do
  [ $round -lt 100 ] || exit 0
  round=$((round + 1)) quiet=$((quiet + 1))
  is_mounted && quiet=0
  sleep 0.1
done
set -f
for path in $held; do
  parent=\${path%/*}
  (cd -P -- "\${parent:-/}" && [ "$(pwd -P)" = "\${parent:-/}" ] && rmdir -- "./\${path##*/}")
done
`;

const EXIT_WAIT_MS = 250;
const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';

/** Removes folders that this process made and could not remove: it was killed, or ended while commands were running. */
export class FolderSweeper {
  readonly #held = new Set<string>();
  #child: ChildProcess | undefined;
  #starting: NodeJS.Immediate | undefined;
  #isClosed = false;

  /** @param path absolute and real */
  add(path: string): void {
    if (/[\n\t\\]/.test(path)) return; // the table of mounts writes these otherwise
    this.#held.add(path);
    if (this.#child !== undefined) this.#send(`+${path}`);
    else this.#starting ??= setImmediate(() => this.#start());
  }

  remove(path: string): void {
    if (!this.#held.delete(path)) return;
    this.#send(`-${path}`);
    if (this.#isClosed && this.#held.size === 0) this.#child?.stdin?.end('q\n');
  }

  /** What is held still is left to it; otherwise it is dismissed, and awaited within a bound. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearImmediate(this.#starting);
    const child = this.#child;
    if (child === undefined || this.#held.size > 0) return;
    this.#child = undefined;
    const exited = once(child, 'exit', { signal: AbortSignal.timeout(EXIT_WAIT_MS) });
    child.ref();
    child.stdin?.end('q\n');
    try {
      await exited;
    } catch {
      child.kill('SIGKILL'); // it ignores every other signal
    } finally {
      child.unref();
    }
  }

  #start(): void {
    this.#starting = undefined;
    if (this.#held.size === 0) return;
    const child = withoutTerminals<'pipe' | 'ignore', ChildProcess>(['pipe', 'ignore', 'ignore'], (stdio) =>
      spawn('/bin/sh', ['-c', SCRIPT, 'quire-sweeper', ...this.#held], {
        cwd: '/',
        detached: true,
        env: { PATH: SYSTEM_PATH },
        stdio,
      }),
    );
    const forget = (): void => {
      if (this.#child === child) this.#child = undefined;
    };
    child.once('exit', forget);
    child.once('error', forget);
    child.stdin?.on('error', forget);
    child.unref();
    if (child.stdin instanceof Socket) child.stdin.unref();
    this.#child = child;
  }

  #send(order: string): void {
    const stdin = this.#child?.stdin;
    if (stdin?.writable === true) stdin.write(`${order}\n`);
  }
}
