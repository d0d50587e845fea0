import { type BackendFinding, type ResolvedRequest, sandboxVariables } from './backend.ts';
import { findProgram } from './find-program.ts';

/** Only this one: another program of the name in `PATH` could be anybody's. */
const SANDBOX_EXEC = '/usr/bin/sandbox-exec';

/** macOS: the system's own sandbox, with a profile made for each command. */
export function findSeatbelt(): BackendFinding {
  if (findProgram('sandbox-exec') !== SANDBOX_EXEC) {
    return { kind: 'missing', reason: `${SANDBOX_EXEC} is not there` };
  }
  return {
    kind: 'found',
    backend: {
      name: 'seatbelt',
      version: SANDBOX_EXEC,
      gaps: [],
      holdsMissing: 'by-name',
      start: (request) => ({
        path: SANDBOX_EXEC,
        args: ['-p', seatbeltProfile(request), ...profileParameters(request), '--', ...request.argv],
        environment: { ...request.environment, ...sandboxVariables(request), CODEX_SANDBOX: 'seatbelt' },
        extraFds: [],
        release: () => undefined,
      }),
    },
  };
}

const BASE_RULES: readonly string[] = [
  '(version 1)',
  '(deny default)',
  '(allow process-exec)',
  '(allow process-fork)',
  '(allow signal (target same-sandbox))',
  '(allow process-info* (target same-sandbox))',
  '(allow sysctl-read)',
  '(allow file-read*)',
  '(allow pseudo-tty)',
  '(allow ipc-posix-sem)',
  '(allow mach-lookup (global-name "com.apple.system.opendirectoryd.libinfo"))',
  '(allow file-write-data file-ioctl (regex #"^/dev/(null|zero|tty|ptmx|ttys[0-9]+|fd/[0-9]+)$"))',
  '(allow file-ioctl (regex #"^/dev/(tty|ptmx|ttys[0-9]+)$"))',
];

const NETWORK_RULES: readonly string[] = [
  '(allow network-outbound (remote ip))',
  '(allow network-inbound (local ip))',
  '(allow network-bind (local ip))',
  '(allow system-socket)',
  '(allow mach-lookup (global-name "com.apple.SystemConfiguration.configd") (global-name "com.apple.trustd.agent"))',
];

/** Paths are parameters, so that no name of a folder can become a rule. Source: sandbox-exec(1). */
export function seatbeltProfile({ confinement, egress, writableRoots, protectedPaths }: ResolvedRequest): string {
  const rules = [...BASE_RULES];
  for (const [index, root] of writableRoots.entries()) {
    const kept = protectedPaths.flatMap((path, position) =>
      path.startsWith(`${root}/`) || path === root ? [`(require-not (subpath (param "KEPT_${position}")))`] : [],
    );
    const place = `(subpath (param "ROOT_${index}"))`;
    rules.push(`(allow file-write* ${kept.length === 0 ? place : `(require-all ${[place, ...kept].join(' ')})`})`);
  }
  if (egress !== undefined) rules.push(`(allow network-outbound (remote ip "localhost:${egress.port}"))`);
  if (confinement.network === 'on') rules.push(...NETWORK_RULES);
  return rules.join('\n');
}

export function profileParameters({ writableRoots, protectedPaths }: ResolvedRequest): readonly string[] {
  return [
    ...writableRoots.map((root, index) => `-DROOT_${index}=${root}`),
    ...protectedPaths.map((path, index) => `-DKEPT_${index}=${path}`),
  ];
}
