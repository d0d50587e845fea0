import { type ProbeAnswer, probeWebSocket } from '@quire/model-client';
import type { Credentials, ModelError, ModelProvider } from '@quire/protocol';
import { durationText, localTimeText } from '../../status/times.ts';
import { type CheckResult, skipped } from '../check.ts';
import type { Scene } from '../scene.ts';

/** Tokens are renewed five minutes before they end: from there on a clock makes them end too early or too late. */
const FATAL_SKEW_MS = 300_000;
const NOTED_SKEW_MS = 60_000;

/** Whether the provider answers requests, and takes the credentials. */
export async function checkHttp(scene: Scene): Promise<CheckResult> {
  const obstacle = await scene.obstacle();
  if (obstacle !== undefined) return skipped('http', obstacle);
  const { credentials } = await scene.credentials();
  return describeHttp(await scene.answer(), credentials.kind);
}

/** @param kind of the credentials that were sent */
function describeHttp(answer: ProbeAnswer, kind: Credentials['kind']): CheckResult {
  const id = 'http';
  const { error, status, url, durationMs } = answer;
  const details = [`GET ${url}: ${status === undefined ? 'no answer' : `status ${status}`}, ${durationMs} ms`];
  if (error === undefined) {
    const taken = kind === 'none' ? '' : ', and takes the credentials';
    return { id, verdict: 'ok', summary: `the provider answers${taken}`, details };
  }
  const failed = { id, verdict: 'failed', summary: error.message, details } as const;
  if (error.code === 'stream-protocol') {
    return { ...failed, remedy: 'check base_url, and whether a network login page or a proxy answers instead' };
  }
  switch (status) {
    case undefined:
      return { ...failed, remedy: 'check base_url and the network; see docs/network.md' };
    case 401:
      if (kind === 'none')
        return { id, verdict: 'ok', summary: 'the provider answers, and asks for credentials', details };
      return {
        ...failed,
        remedy: kind === 'chatgpt' ? 'log in again with quire login' : 'set or log in with another key',
      };
    case 403:
      return { ...failed, remedy: 'the account, the region or a filter in between is refused; ask who runs it' };
    case 404:
    case 405:
      // Only the built-in provider is known to have a list of models.
      return { id, verdict: 'ok', summary: 'the provider answers; it has no list of models there', details };
    case 429:
      return {
        ...failed,
        verdict: 'warning',
        summary: 'the provider answers, but limits requests (429)',
        remedy: 'wait; quire status shows the limits of an account',
      };
    default:
      return { ...failed, remedy: status >= 500 ? 'the provider has trouble; try again later' : 'check base_url' };
  }
}

/** Whether a WebSocket can be opened, where the provider has them. */
export async function checkWebSocket(scene: Scene): Promise<CheckResult> {
  const id = 'websocket';
  const { config } = await scene.config();
  const unused = config === undefined ? undefined : unusedReason(config.provider, config.features);
  if (unused !== undefined) return skipped(id, unused);
  const obstacle = await scene.obstacle();
  if (obstacle !== undefined) return skipped(id, obstacle);
  const { credentials } = await scene.credentials();
  return describeWebSocket(await probeWebSocket(await scene.probeOptions()), credentials.kind);
}

function unusedReason(provider: ModelProvider, features: Readonly<Record<string, unknown>>): string | undefined {
  if ((provider.wireApi ?? 'responses') !== 'responses') return 'chat completions have no WebSocket';
  if (provider.supportsWebsockets !== true) return `the provider ${provider.id} is not declared to support it`;
  return features['responses_websockets'] === false ? 'the feature responses_websockets is switched off' : undefined;
}

function describeWebSocket(answer: ProbeAnswer, kind: Credentials['kind']): CheckResult {
  const id = 'websocket';
  const { error, status, durationMs, url } = answer;
  const details = [`upgrade of ${url}: ${status === undefined ? 'no answer' : `status ${status}`}, ${durationMs} ms`];
  if (error === undefined) return { id, verdict: 'ok', summary: 'a WebSocket can be opened', details };
  if (status === 401) {
    return kind === 'none'
      ? { id, verdict: 'skipped', summary: 'it needs credentials', details }
      : { id, verdict: 'skipped', summary: 'the credentials were refused (see http)', details };
  }
  return {
    id,
    verdict: 'warning',
    summary: `no WebSocket can be opened, so requests go over HTTP: ${reasonOf(error)}`,
    details,
    remedy:
      'let proxies and filters in between pass the header Upgrade: websocket, or switch it off: quire features disable responses_websockets',
  };
}

function reasonOf({ transportFailure, message }: ModelError): string {
  if (transportFailure?.kind === 'upgrade-status')
    return `the upgrade was refused with status ${transportFailure.status}`;
  return message;
}

/** The clock here beside that of the provider. */
export async function checkClock(scene: Scene): Promise<CheckResult> {
  const obstacle = await scene.obstacle();
  return obstacle === undefined ? describeClock(await scene.answer()) : skipped('clock', obstacle);
}

function describeClock({ serverTimeMs, askedAtMs }: ProbeAnswer): CheckResult {
  const id = 'clock';
  if (serverTimeMs === undefined) return skipped(id, 'the provider did not tell its time');
  const skewMs = askedAtMs - serverTimeMs;
  const distance = durationText(Math.abs(skewMs));
  const details = [`here ${localTimeText(askedAtMs)}, there ${localTimeText(serverTimeMs)}`];
  // Servers tell whole seconds.
  if (Math.abs(skewMs) < NOTED_SKEW_MS)
    return { id, verdict: 'ok', summary: 'the clock agrees with that of the provider', details };
  return {
    id,
    verdict: Math.abs(skewMs) < FATAL_SKEW_MS ? 'warning' : 'failed',
    summary: `the clock here is ${distance} ${skewMs > 0 ? 'ahead of' : 'behind'} that of the provider`,
    details,
    remedy: 'set the clock (such as by NTP): logins are renewed, and certificates judged, by it',
  };
}
