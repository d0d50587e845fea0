import { type ThreadSettings, webSearchWarning } from '@quire/core';
import { approvalPolicyName } from '@quire/protocol';
import type { Config } from '@quire/store';
import type { ThreadFacts, ThreadOptions } from './api.ts';
import type { StoredThread } from './stored-thread.ts';
import { requirementNotices } from './thread-settings.ts';

/** What people are told about the settings of a thread when it is opened. */
export function openingNotices(
  settings: ThreadSettings,
  opening: {
    readonly config: Config;
    readonly options: ThreadOptions;
    readonly stored: StoredThread | undefined;
  },
): readonly string[] {
  const { config, options, stored } = opening;
  return [
    ...modelWarnings(settings, stored),
    ...searchWarnings(settings, config),
    ...requirementNotices(config, options),
  ];
}

/** What a thread was resolved to. */
export function threadFacts(
  settings: ThreadSettings,
  {
    config,
    ...origin
  }: Pick<ThreadFacts, 'threadId' | 'resumed' | 'forkedFrom' | 'rolloutPath' | 'warnings'> & {
    readonly config: Config;
  },
): ThreadFacts {
  const { provider, hideAgentReasoning, showRawAgentReasoning } = config;
  return {
    ...origin,
    providerId: provider.id,
    shownReasoning: hideAgentReasoning ? 'none' : showRawAgentReasoning ? 'raw' : 'summary',
    workingDirectory: settings.cwd,
    model: settings.model.slug,
    approvalPolicy: approvalPolicyName(settings.approvalPolicy),
    sandboxMode: settings.sandbox.mode,
    reasoningEffort: settings.reasoningEffort,
    reasoningSummary: settings.reasoningSummary,
  };
}

function searchWarnings({ webSearch }: ThreadSettings, { provider }: Config): readonly string[] {
  const warning = webSearchWarning(webSearch, provider.name);
  return warning === undefined ? [] : [warning];
}

function modelWarnings(settings: ThreadSettings, stored: StoredThread | undefined): readonly string[] {
  const { slug } = settings.model;
  const before = stored?.seed.previousModel;
  return before === undefined || before === slug
    ? []
    : [`This thread was served by ${before} until now and goes on with ${slug}.`];
}
