import { programName } from '../shell/shell-call.ts';

/** Programs that run what they are given: a rule for one of them alone would allow everything. Source: the peer. */
const RUNS_ANYTHING = new Set(
  (
    'bash sh zsh dash ksh fish python python3 python2 pypy pypy3 py perl ruby node nodejs deno bun php lua Rscript R ' +
    'osascript powershell pwsh cmd git env sudo doas su command exec eval xargs find nohup timeout time nice npx bunx ' +
    'uv uvx npm pnpm yarn make ssh docker podman kubectl awk gawk sed busybox parallel watch'
  ).split(' '),
);
/** Options behind which a script stands. */
const SCRIPT_FLAG = /^(?:-[A-Za-z]*[ceEpr]|-lc|--?command|--?eval|--?print|\/c)$/i;

/** Whether a rule that allows whatever begins like this would allow far more than somebody could mean. */
export function isBannedPrefix(prefix: readonly string[]): boolean {
  const [program, ...rest] = prefix;
  if (program === undefined || program.trim() === '') return true;
  const name = programName([program])
    .replace(/\.exe$/i, '')
    .replace(/^(python)[\d.]+$/, '$1');
  return RUNS_ANYTHING.has(name) && rest.every((word) => SCRIPT_FLAG.test(word));
}
