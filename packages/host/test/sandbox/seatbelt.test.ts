import { expect, test } from 'vitest';
import type { ResolvedRequest } from '../../src/sandbox/backend.ts';
import { profileParameters, seatbeltProfile } from '../../src/sandbox/seatbelt.ts';

function request(
  more: Partial<ResolvedRequest> & { readonly network?: 'on' | 'off' | 'proxied' } = {},
): ResolvedRequest {
  const { network = 'off', ...rest } = more;
  return {
    argv: ['true'],
    cwd: '/w',
    confinement: { kind: 'sandbox', writableRoots: [], network },
    environment: {},
    writableRoots: [],
    protectedPaths: [],
    pinnedFolders: [],
    egress: undefined,
    ...rest,
  };
}

/** Rules about writing files and the network, which differ from command to command. */
function ownRules(given: ResolvedRequest): readonly string[] {
  return seatbeltProfile(given)
    .split('\n')
    .filter((line) => /^\(allow (?:file-write\* |network|system-socket)/.test(line));
}

test('everything is denied that no rule allows, and a command without roots and network gets none [SBX-60]', () => {
  const lines = seatbeltProfile(request()).split('\n');
  expect(lines.slice(0, 2)).toEqual(['(version 1)', '(deny default)']);
  expect(ownRules(request())).toEqual([]);
  for (const line of lines) expect(line.split('(').length, line).toBe(line.split(')').length);
});

test('below each root may be written what is not protected, and no name becomes a rule [SBX-61]', () => {
  const odd = '/w/a") (allow default) ("';
  const given = request({ writableRoots: ['/w', '/t'], protectedPaths: ['/w/.git', odd] });
  expect(ownRules(given)).toEqual([
    '(allow file-write* (require-all (subpath (param "ROOT_0")) (require-not (subpath (param "KEPT_0"))) (require-not (subpath (param "KEPT_1")))))',
    '(allow file-write* (subpath (param "ROOT_1")))',
  ]);
  expect(profileParameters(given)).toEqual(['-DROOT_0=/w', '-DROOT_1=/t', '-DKEPT_0=/w/.git', `-DKEPT_1=${odd}`]);
});

test('the network is closed, open, or open to the proxy alone [SBX-62]', () => {
  const egress = { port: 4321, socketPath: '/p' };
  expect(ownRules(request({ network: 'proxied', egress }))).toEqual([
    '(allow network-outbound (remote ip "localhost:4321"))',
  ]);
  expect(ownRules(request({ network: 'on' })).map((line) => line.split(' ')[1])).toEqual([
    'network-outbound',
    'network-inbound',
    'network-bind',
    'system-socket)',
  ]);
});
