import type { NetworkError, WayReport, WayStage } from '@quire/network';
import { durationText } from '../../status/times.ts';
import { type CheckResult, counted, skipped } from '../check.ts';
import type { Scene } from '../scene.ts';

export type WayCheck = 'proxy' | 'dns' | 'tcp' | 'tls';

/** Certificates that end sooner deserve a word. */
const SOON_MS = 7 * 24 * 3600_000;

export async function checkWay(id: WayCheck, scene: Scene): Promise<CheckResult> {
  const way = await scene.way();
  return way === undefined
    ? skipped(id, 'the configuration can not be used (see config)')
    : describeWay(id, way, Date.now());
}

/** One part of the way to the provider. */
function describeWay(id: WayCheck, way: WayReport, nowMs: number): CheckResult {
  if (way.problem !== undefined) {
    if (id !== 'proxy') return skipped(id, 'there is no way to the provider (see proxy)');
    return {
      id,
      verdict: 'failed',
      summary: way.problem.message,
      details: [],
      remedy: 'correct the variable, or unset it',
    };
  }
  const stage = way.stages.find(({ name }) => name === id);
  if (stage?.outcome === 'failed') return failed(id, way, stage.error);
  if (stage?.outcome === 'not-reached') return skipped(id, 'it was not reached: an earlier part failed');
  switch (id) {
    case 'proxy':
      return proxyResult(way);
    case 'dns':
      return dnsResult(way, stage);
    case 'tcp':
      return {
        id,
        verdict: 'ok',
        summary: `${way.proxy?.authority ?? way.target} accepts connections${took(stage)}`,
        details: [],
      };
    case 'tls':
      return tlsResult(way, stage, nowMs);
  }
}

function failed(id: WayCheck, way: WayReport, error: NetworkError): CheckResult {
  const details = [
    ...(way.addresses.length === 0 ? [] : [`addresses: ${way.addresses.join(', ')}`]),
    ...(way.proxy === undefined ? [] : [`by way of the proxy ${way.proxy.authority}, named by ${way.proxy.variable}`]),
    ...trustLines(way),
  ];
  return { id, verdict: 'failed', summary: error.message, details, remedy: remedyOf(id, way, error) };
}

function remedyOf(id: WayCheck, { proxy }: WayReport, error: NetworkError): string {
  switch (id) {
    case 'dns':
      return proxy === undefined
        ? 'check base_url and the network; behind a firewall a proxy may be needed (HTTPS_PROXY); see docs/network.md'
        : `check the name of the proxy in ${proxy.variable}`;
    case 'tcp':
      return proxy === undefined
        ? 'check base_url and the firewall; if the network needs a proxy, name it in HTTPS_PROXY; see docs/network.md'
        : `check that the proxy of ${proxy.variable} runs there, or unset the variable`;
    case 'proxy':
      return error.status === 407
        ? 'put user and password into the URL of the proxy; see docs/network.md'
        : `ask who runs the proxy to let this host through, or except it in NO_PROXY; see docs/network.md`;
    case 'tls':
      return error.code === 'configuration'
        ? 'correct or unset the variable that names the file; see docs/network.md'
        : 'name the file of your organisation’s authority in CODEX_CA_CERTIFICATE, and check the clock; see docs/network.md';
  }
}

function proxyResult({ proxy, isExcepted, target }: WayReport): CheckResult {
  const id = 'proxy';
  if (proxy !== undefined) {
    const user = proxy.hasCredentials ? 'with user and password' : 'without user and password';
    return {
      id,
      verdict: 'ok',
      summary: `${proxy.authority} lets ${target} through`,
      details: [`named by ${proxy.variable}, ${user}`],
    };
  }
  const summary = isExcepted ? `${target} is excepted by NO_PROXY, so no proxy is used` : 'no proxy is named';
  return { id, verdict: 'ok', summary, details: [] };
}

function dnsResult(way: WayReport, stage: WayStage | undefined): CheckResult {
  const host = way.proxy?.authority ?? way.target;
  if (stage?.outcome !== 'passed') return { id: 'dns', verdict: 'ok', summary: `${host} is an address`, details: [] };
  return { id: 'dns', verdict: 'ok', summary: `${host} is ${way.addresses.join(', ')}${took(stage)}`, details: [] };
}

function tlsResult(way: WayReport, stage: WayStage | undefined, nowMs: number): CheckResult {
  const { certificate, target } = way;
  if (stage?.outcome !== 'passed') return skipped('tls', `${target} is reached without TLS`);
  if (certificate === undefined)
    return { id: 'tls', verdict: 'ok', summary: `${target} is trusted${took(stage)}`, details: [] };
  const { validUntilMs, isPrivateAuthority, authority, issuer, subject } = certificate;
  const kind = isPrivateAuthority ? 'a private authority' : 'a public authority';
  const details = [
    `certificate of ${subject}, issued by ${issuer}; the authority is ${authority}, ${kind}`,
    ...trustLines(way),
  ];
  const leftMs = validUntilMs - nowMs;
  if (leftMs < SOON_MS && !isPrivateAuthority) {
    const summary = `the certificate of ${target} ends in ${durationText(leftMs)}`;
    return { id: 'tls', verdict: 'warning', summary, details, remedy: 'whoever runs the server has to renew it' };
  }
  return { id: 'tls', verdict: 'ok', summary: `the certificate of ${target} is trusted${took(stage)}`, details };
}

function trustLines({ trust }: WayReport): readonly string[] {
  if (trust === undefined) return [];
  const count = trust.certificateCount === undefined ? 'not usable' : counted(trust.certificateCount, 'certificate');
  return [`authorities of ${trust.variable}: ${trust.path} (${count})`];
}

function took(stage: WayStage | undefined): string {
  return stage?.outcome === 'passed' ? ` (${stage.durationMs} ms)` : '';
}
