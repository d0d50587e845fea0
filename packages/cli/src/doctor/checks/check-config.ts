import type { ConfigError } from '@quire/store';
import { type CheckResult, counted, type Finding, resultOf } from '../check.ts';
import { type ConfigReading, type Scene, shownMessage } from '../scene.ts';

const CHECK = 'config';

/** The files that are read, what is wrong in them, and whether the project is trusted. */
export async function checkConfig(scene: Scene): Promise<CheckResult> {
  const reading = await scene.config();
  const { error, explanation } = reading;
  if (error !== undefined) {
    return {
      id: CHECK,
      verdict: 'failed',
      summary: shownMessage(error),
      details: [
        ...layerLines(reading),
        ...(reading.config === undefined ? [] : ['the checks below look at the settings that hold without it']),
      ],
      remedy: remedyOf(error),
    };
  }
  const unread = (explanation?.settings ?? []).filter(({ isRead }) => !isRead);
  const unreadLine = `not read by quire: ${unread.map(({ key }) => key).join(', ')}`;
  return resultOf(CHECK, {
    summary: summaryOf(reading),
    details: [...layerLines(reading), ...trustLines(reading), ...(unread.length === 0 ? [] : [unreadLine])],
    findings: findingsOf(reading),
  });
}

function summaryOf({ explanation, config }: ConfigReading): string {
  const { settings = [], layers = [] } = explanation ?? {};
  const files = layers.filter(({ kind }) => kind !== 'command-line').length;
  return `${counted(settings.length, 'setting')} from ${counted(files, 'file')}; the model provider is ${config?.provider.id ?? 'not known'}`;
}

function layerLines({ explanation }: ConfigReading): readonly string[] {
  return (explanation?.layers ?? []).map(({ kind, source }) => {
    const count = explanation?.settings.filter(({ origin }) => origin.source === source && origin.kind === kind).length;
    return `${kind.replaceAll('-', ' ')}: ${source} (${counted(count ?? 0, 'setting')} in effect)`;
  });
}

function trustLines({ config, explanation }: ConfigReading): readonly string[] {
  if (config === undefined) return [];
  const trust = config.trust ?? 'nothing was said of it yet';
  return [
    `trust in ${config.projectTrustPath}: ${trust}`,
    ...(explanation?.disabledFolders ?? []).map(({ path, reason }) => `${path} is not read: ${reason}`),
  ];
}

function findingsOf({ explanation, warnings: told }: ConfigReading): readonly Finding[] {
  const misspelled = (explanation?.misspelled ?? []).map((text) => ({ text, remedy: 'correct the name there' }));
  // What was written nearly like a setting has its place above; without it, it would stand here twice.
  const warnings = told
    .filter((warning) => misspelled.length === 0 || !warning.startsWith('-c '))
    .map((text) => ({ text, remedy: 'see quire config list --origin and docs/configuration.md' }));
  return [...misspelled, ...warnings].map((finding) => ({ verdict: 'warning', ...finding }));
}

function remedyOf(error: unknown): string {
  const { code, source } = error as Partial<ConfigError>;
  if (code === 'home-missing') return 'create that folder, or unset the variable';
  if (source === undefined || source === '-c') return 'correct it; docs/configuration.md has every key';
  return `correct ${source}; docs/configuration.md has every key`;
}
