import { findModel, resolveSettings, type ThreadSettings } from '@quire/core';
import type { ModelInfo } from '@quire/protocol';
import { NO_CHOICES } from '../../support/no-choices.ts';

const KNOWN = findModel('gpt-5.2-codex');

/** A large window, a small one, and one that reads no images. */
export const MODELS = {
  large: { ...KNOWN, slug: 'model-large' },
  small: { ...KNOWN, slug: 'model-small', contextWindow: 60_000 },
  text: { ...KNOWN, slug: 'model-text', inputModalities: ['text'] },
} as const satisfies Readonly<Record<string, ModelInfo>>;

export type ModelName = keyof typeof MODELS;

export function describeModel(slug: string): ModelInfo {
  return Object.values(MODELS).find((model) => model.slug === slug) ?? findModel(slug);
}

/** Sleeps of a thread are this many times shorter than it thinks. */
export const CLOCK_SPEED = 200;

export const LONG_DEADLINE_MS = 10_000 * CLOCK_SPEED;
export const SHORT_DEADLINE_MS = 100 * CLOCK_SPEED;

export const FIRST_SETTINGS: ThreadSettings = resolveSettings({
  cwd: '/repo',
  model: MODELS.large,
  choices: NO_CHOICES,
  baseInstructions: 'Do what is asked.',
  developerInstructions: 'Be brief.',
  projectInstructions: 'Use tabs.',
  environment: {
    shellName: 'bash',
    currentDate: '2026-01-02',
    timezone: 'UTC',
    git: undefined,
    otherWorkspaces: [],
  },
  bakedPersonality: undefined,
  collaborationMode: undefined,
  gitInContext: true,
  omittedSections: [],
  compaction: {
    strategies: ['endpoint', 'trigger', 'local', 'trim'],
    deadlineMs: LONG_DEADLINE_MS,
    autoCompactTokenLimit: undefined,
    prompt: undefined,
    ledger: true,
  },
  approvalPolicy: 'never',
  sandbox: {
    mode: 'danger-full-access',
    writableRoots: [],
    networkAccess: false,
    excludeTmpdirEnvVar: false,
    excludeSlashTmp: false,
  },
  temporaryRoots: [],
  webSearch: {
    mode: 'disabled',
    allowedDomains: undefined,
    contextSize: undefined,
    location: undefined,
    isServed: false,
  },
  commands: { allowLoginShell: true, longestPollMs: 300_000 },
  network: { allowedHosts: undefined },
  streamMaxRetries: 5,
  toolOutputTokenLimit: undefined,
});
