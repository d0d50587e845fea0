import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { type DetailedPeerCertificate, rootCertificates, TLSSocket } from 'node:tls';
import type { ConnectionStage } from '../connect/open-connection.ts';
import { createDialer } from '../dialer.ts';
import type { DialerLog } from '../dialer-log.ts';
import type { Environment } from '../environment.ts';
import { networkFailure } from '../failure.ts';
import { NetworkError } from '../network-error.ts';
import type { ProxyEndpoint } from '../proxy/proxy-endpoint.ts';
import { selectProxy } from '../proxy/select-proxy.ts';
import { parseTarget, type Target } from '../target.ts';
import type { PeerCertificate, WayReport, WayStage } from './way-report.ts';

interface WalkOptions {
  readonly environment: Environment;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** What `probeWay` promises. */
export async function walk(url: URL, options: WalkOptions): Promise<WayReport> {
  options.signal.throwIfAborted();
  let target: Target;
  let proxy: ProxyEndpoint | undefined;
  try {
    target = parseTarget(url);
    proxy = selectProxy(target, options.environment);
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    return { ...UNKNOWN_WAY, target: url.host, problem: error };
  }
  const logs: DialerLog[] = [];
  const passed: { readonly stage: ConnectionStage; readonly atMs: number }[] = [];
  const addresses = new Set<string>();
  const startedAtMs = performance.now();
  const dialer = createDialer({ environment: options.environment, log: (record) => logs.push(record) });
  let socket: Duplex | undefined;
  let error: NetworkError | undefined;
  try {
    socket = await dialer.connect(url, {
      signal: options.signal,
      timeoutMs: options.timeoutMs,
      onPassed: (stage, address) => {
        if (address !== undefined) addresses.add(address);
        if (!passed.some((known) => known.stage === stage)) passed.push({ stage, atMs: performance.now() });
      },
    });
  } catch (cause) {
    options.signal.throwIfAborted();
    error = networkFailure(cause, { target, proxy: proxy?.authority, atProxy: false });
  } finally {
    dialer.close();
  }
  const certificate = socket instanceof TLSSocket ? certificateOf(socket) : undefined;
  socket?.destroy();
  const names = stagesOf(target, proxy);
  return {
    target: target.authority,
    proxy: proxy && {
      variable: proxy.variable,
      authority: proxy.authority,
      hasCredentials: proxy.credentials !== undefined,
    },
    isExcepted: proxy === undefined && selectProxy(target, withoutExceptions(options.environment)) !== undefined,
    addresses: [...addresses],
    trust: trustIn(logs),
    certificate,
    stages: timed(names, { passed, startedAtMs, error }),
    problem: undefined,
  };
}

const UNKNOWN_WAY = {
  proxy: undefined,
  isExcepted: false,
  addresses: [],
  trust: undefined,
  certificate: undefined,
  stages: [],
} as const;

interface StagePlan {
  readonly name: ConnectionStage;
  readonly isNeeded: boolean;
}

function stagesOf(target: Target, proxy: ProxyEndpoint | undefined): readonly StagePlan[] {
  return [
    { name: 'dns', isNeeded: isIP((proxy ?? target).host) === 0 },
    { name: 'tcp', isNeeded: true },
    { name: 'proxy', isNeeded: proxy !== undefined },
    { name: 'tls', isNeeded: target.secure },
  ];
}

/** The first stage that was not passed is the one that failed. */
function timed(
  plans: readonly StagePlan[],
  walked: {
    readonly passed: readonly { readonly stage: ConnectionStage; readonly atMs: number }[];
    readonly startedAtMs: number;
    readonly error: NetworkError | undefined;
  },
): readonly WayStage[] {
  let beganAtMs = walked.startedAtMs;
  let { error } = walked;
  let isOver = false;
  return plans.map(({ name, isNeeded }): WayStage => {
    if (!isNeeded) return { name, outcome: 'not-needed' };
    if (isOver) return { name, outcome: 'not-reached' };
    const atMs = walked.passed.find(({ stage }) => stage === name)?.atMs;
    const durationMs = Math.max(0, Math.round((atMs ?? performance.now()) - beganAtMs));
    beganAtMs = atMs ?? beganAtMs;
    if (atMs !== undefined) return { name, outcome: 'passed', durationMs };
    isOver = true;
    const failure = error;
    error = undefined;
    return failure === undefined
      ? { name, outcome: 'not-reached' }
      : { name, outcome: 'failed', durationMs, error: failure };
  });
}

function withoutExceptions(environment: Environment): Environment {
  return { ...environment, no_proxy: undefined, NO_PROXY: undefined };
}

function trustIn(logs: readonly DialerLog[]): WayReport['trust'] {
  for (const record of logs) {
    if (record.kind === 'certificates-loaded') {
      const { variable, path, certificateCount } = record;
      return { variable, path, certificateCount };
    }
    if (record.kind === 'certificates-failed') {
      return { variable: record.variable, path: record.path, certificateCount: undefined };
    }
  }
  return undefined;
}

/** A chain has a handful of certificates; one that names itself ends it. */
const MAX_CHAIN = 10;

function certificateOf(socket: TLSSocket): PeerCertificate | undefined {
  const leaf = socket.getPeerCertificate(/* detailed */ true);
  // An empty object when there is none.
  if (leaf.raw === undefined) return undefined;
  let top: DetailedPeerCertificate = leaf;
  for (let length = 1; length < MAX_CHAIN; length += 1) {
    const next: DetailedPeerCertificate | undefined = top.issuerCertificate;
    if (next?.raw === undefined || next.fingerprint256 === top.fingerprint256) break;
    top = next;
  }
  const authority = top.raw.toString('base64');
  return {
    subject: nameOf(leaf.subject),
    issuer: nameOf(leaf.issuer),
    validUntilMs: Date.parse(leaf.valid_to),
    authority: nameOf(top.subject),
    isPrivateAuthority: !rootCertificates.some((pem) => pem.replace(/-----[A-Z ]+-----|\s/g, '') === authority),
  };
}

function nameOf(name: DetailedPeerCertificate['subject'] | undefined): string {
  const value: string | readonly string[] | undefined = name?.CN ?? name?.O ?? name?.OU;
  return typeof value === 'string' ? value : (value?.[0] ?? 'unnamed');
}
