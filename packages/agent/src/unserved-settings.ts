import type { Config } from '@quire/store';

/** Settings that are understood and not served yet: whoever sets one is told, so that none is passed over in silence. */
export function unservedSettings(
  config: Pick<Config, 'provider' | 'providerTokenCommand' | 'ossProvider' | 'requirements'>,
): readonly string[] {
  const unserved: readonly (readonly [isSet: boolean, notice: string])[] = [
    [
      config.providerTokenCommand !== undefined,
      `model_providers.${config.provider.id}.auth is not supported yet: no command is run for a token.`,
    ],
    [config.ossProvider !== undefined, 'oss_provider is not supported yet: set model_provider instead.'],
    [
      (config.requirements?.rules ?? []).length > 0,
      'rules of the managed requirements are not supported yet: the rules of files hold alone.',
    ],
  ];
  return unserved.flatMap(([isSet, notice]) => (isSet ? [notice] : []));
}
