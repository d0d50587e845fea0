import { homedir } from 'node:os';
import { describeHost } from '@quire/host';
import {
  CONFIG_KEYS,
  isFeatureEnabled,
  listRollouts,
  loadConfigTools,
  loadRefusals,
  type Redactor,
} from '@quire/store';
import { VERSION } from '../version.ts';
import type { CheckResult } from './check.ts';
import { type Scene, shownMessage } from './scene.ts';
import { shownValue } from './shown-value.ts';

const FORMAT_VERSION = 1;
const MAX_THREADS = 5;
/** Variables that change what quire does. Only their names are told, never what they hold. */
const KNOWN_VARIABLES =
  /^(?:QUIRE_|CODEX_|OPENAI_|NODE_|SSL_|XDG_|LC_|LANG$|TERM|COLORTERM$|NO_COLOR$|FORCE_COLOR$|CI$|SHELL$|TZ$|(?:https?|all|no)_proxy$)/i;

/** Everything that a report of a fault needs, as JSON text without secrets. */
export async function collectBundle(
  scene: Scene,
  { checks, redactor }: { readonly checks: readonly CheckResult[]; readonly redactor: Redactor },
): Promise<string> {
  const { osName, osVersion, arch } = describeHost(scene.environment);
  const [config, features, lastRefusal, threads] = await Promise.all([
    configPart(scene),
    featuresPart(scene),
    refusalPart(scene),
    threadsPart(scene),
  ]);
  const bundle = {
    kind: 'quire-doctor-bundle',
    formatVersion: FORMAT_VERSION,
    createdAt: new Date().toISOString(),
    versions: { quire: VERSION, ...process.versions },
    platform: { name: osName, version: osVersion, arch },
    report: { checks },
    config,
    features,
    environment: environmentPart(scene),
    lastRefusal,
    threads,
  };
  return `${JSON.stringify(bundle, (_name, value: unknown) => (typeof value === 'string' ? clean(value) : value), 2)}\n`;

  function clean(text: string): string {
    const home = homedir();
    const secretless = redactor.redactText(text);
    // Names of people stand in the paths of their folders.
    return home.length > 1 ? secretless.replaceAll(home, '~') : secretless;
  }
}

async function configPart(scene: Scene): Promise<object> {
  const { error, explanation, warnings } = await scene.config();
  return {
    error: error === undefined ? null : shownMessage(error),
    layers: explanation?.layers ?? null,
    disabledFolders: explanation?.disabledFolders ?? null,
    misspelled: explanation?.misspelled ?? null,
    warnings,
    settings:
      explanation?.settings.map(({ key, path, value, origin, overridden, isRead }) => ({
        key,
        value: shownValue(path, value, wordsOf(key, path)),
        origin,
        overridden,
        isRead,
      })) ?? null,
  };
}

/** The words that the documentation puts into backquotes as the values of a key. */
function wordsOf(key: string, path: readonly string[]): ReadonlySet<string> {
  const known = CONFIG_KEYS.find((entry) => entry.key === key || fits(entry.key.split('.'), path));
  return new Set([...(known?.type ?? '').matchAll(/`([^`]+)`/g)].map(([, word = '']) => word));
}

function fits(pattern: readonly string[], path: readonly string[]): boolean {
  return pattern.length === path.length && pattern.every((name, depth) => name.startsWith('<') || name === path[depth]);
}

async function featuresPart(scene: Scene): Promise<object | null> {
  const { config } = await scene.config();
  if (config === undefined) return null;
  const { FEATURES } = await loadConfigTools();
  return FEATURES.filter(({ supported }) => supported).map(({ name, stage, defaultEnabled }) => {
    return { name, stage, enabled: isFeatureEnabled(config.features, name), defaultEnabled };
  });
}

function environmentPart({ environment }: Scene): readonly string[] {
  return Object.keys(environment)
    .filter((name) => KNOWN_VARIABLES.test(name) && environment[name] !== '')
    .sort();
}

async function refusalPart({ home }: Scene): Promise<object | null> {
  if (home.kind === 'unusable') return null;
  const { readRefusal } = await loadRefusals();
  const record = readRefusal(home.path);
  return record === undefined ? null : { ...record, atMs: undefined, at: new Date(record.atMs).toISOString() };
}

/** Facts about the last threads; nothing of what was said in them. */
async function threadsPart({ home, signal }: Scene): Promise<object | null> {
  if (home.kind === 'unusable' || signal.aborted) return null;
  const page = await listRollouts({ home: home.path, limit: MAX_THREADS, signal }).catch(() => undefined);
  return (
    page?.threads.map(({ threadId, meta, sizeBytes, updatedAtMs }) => ({
      threadId,
      startedAt: meta.timestamp,
      updatedAt: new Date(updatedAtMs).toISOString(),
      sizeBytes,
      originator: meta.originator,
      version: meta.cli_version,
      provider: meta.model_provider ?? null,
    })) ?? null
  );
}
