import { homedir } from 'node:os';
import type { LoadConfigOptions } from '@quire/store';
import type { CommandResult } from '../end-process.ts';
import { safeLine } from '../exec/safe-text.ts';
import { EXIT } from '../exit-codes.ts';
import { say } from '../say.ts';
import { workingDirectory } from '../working-directory.ts';
import { type FeaturesOrder, parseFeaturesArguments } from './arguments.ts';

type OrderOf<Kind extends FeaturesOrder['kind']> = Extract<FeaturesOrder, { readonly kind: Kind }>;

/** `quire features`. */
export async function featuresCommand(argv: readonly string[]): Promise<CommandResult> {
  const parsed = parseFeaturesArguments(argv);
  if (parsed.kind === 'help') return say('stdout', (await import('./help.ts')).FEATURES_HELP);
  if (parsed.kind === 'usage-error') {
    tell(parsed.message);
    say('stderr', 'Usage: quire features COMMAND; see quire features --help\n');
    return { exitCode: EXIT.usage, settled: true };
  }
  try {
    return parsed.order.kind === 'list' ? await list(parsed.order) : await change(parsed.order);
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error));
    return { exitCode: EXIT.failed, settled: true };
  }
}

async function list({ json, all, overrides, enable, disable, profile }: OrderOf<'list'>): Promise<CommandResult> {
  const { featureOverrides, isFeatureEnabled, loadConfig, loadConfigTools } = await import('@quire/store');
  const { FEATURES } = await loadConfigTools();
  const switches = featureOverrides({ enable, disable });
  const { features, warnings } = await loadConfig(await placeOf({ overrides: [...overrides, ...switches], profile }));
  for (const warning of warnings) if (warning.includes('features')) tell(warning);
  const shown = FEATURES.filter(({ supported }) => all || supported).map((feature) => ({
    ...feature,
    stage: feature.stage.replaceAll('-', ' '),
    // What has no effect is off, whatever a file says.
    enabled: feature.supported && isFeatureEnabled(features, feature.name),
  }));
  if (json) {
    const values = shown.map(({ name, stage, enabled, defaultEnabled, supported, meaning }) => {
      return { name, stage, enabled, defaultEnabled, supported, description: meaning };
    });
    return say('stdout', `${JSON.stringify({ features: values }, undefined, 2)}\n`);
  }
  const width = Math.max(...shown.map(({ name }) => name.length));
  const lines = shown.map(({ name, stage, enabled, supported }) => {
    return `${name.padEnd(width)}  ${stage.padEnd('under development'.length)}  ${supported ? enabled : 'no effect'}\n`;
  });
  return say('stdout', lines.join(''));
}

async function change({ kind, name, profile }: OrderOf<'enable' | 'disable'>): Promise<CommandResult> {
  const { isFeatureEnabled, loadConfig, loadConfigTools } = await import('@quire/store');
  const { canonicalFeatureName, changeSetting, findFeature, unknownFeature } = await loadConfigTools();
  const feature = findFeature(name);
  if (feature === undefined) throw unknownFeature(name, `features ${kind}`);
  if (canonicalFeatureName(name) !== name) tell(`${name} is an older name of ${feature.name}`);
  const place = await placeOf({ overrides: [] });
  const wanted = kind === 'enable';
  const { file, overriddenBy, fault } = await changeSetting(
    { key: `features.${feature.name}`, text: String(wanted) },
    { ...place, intoProfile: profile },
  );
  const said = say('stdout', `${feature.name} is switched ${wanted ? 'on' : 'off'} in ${safeLine(file)}.\n`);
  if (!feature.supported) tell(`${feature.name} has no effect here: it is a feature of compatible programs`);
  else if (wanted && feature.stage === 'under-development') tell(`${feature.name} is under development and may break`);
  else if (wanted && feature.stage === 'deprecated') {
    tell(`${feature.name} is deprecated: ${feature.meaning.replaceAll('`', '')}`);
  }
  if (fault !== undefined) tell(fault);
  if (overriddenBy !== undefined) tell(`features.${feature.name} is also set in ${overriddenBy}, which goes before it`);
  else if (fault === undefined && feature.supported && profile === undefined) {
    // That it is unfinished was said already.
    const overrides = ['suppress_unstable_features_warning=true'];
    const { features, warnings } = await loadConfig({ ...place, overrides });
    if (isFeatureEnabled(features, feature.name) !== wanted) {
      for (const warning of warnings) if (warning.includes(`features.${feature.name}`)) tell(warning);
    }
  }
  return said;
}

async function placeOf(choices: {
  readonly overrides: readonly string[];
  readonly profile?: string | undefined;
}): Promise<LoadConfigOptions> {
  const { resolveHome } = await import('@quire/store');
  const home = resolveHome({ environment: process.env, homeDirectory: homedir() });
  return {
    home,
    cwd: workingDirectory(/* given */ undefined, { takesDirectory: false }),
    environment: process.env,
    ...choices,
  };
}

function tell(message: string): void {
  say('stderr', `quire: ${safeLine(message)}\n`);
}
