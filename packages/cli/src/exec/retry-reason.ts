import type { TurnFailure } from '@quire/protocol';

const REASONS: Readonly<Record<TurnFailure['code'], string>> = {
  'connection-failed': 'cannot connect',
  dns: 'cannot connect',
  tls: 'cannot connect',
  proxy: 'cannot connect',
  overloaded: 'the provider is busy',
  'rate-limited': 'the provider limits the rate of requests',
  'internal-server-error': 'the provider had an internal error',
  'unexpected-status': 'the provider answered with an error',
  'response-failed': 'the provider gave up on its answer',
  'response-incomplete': 'the answer is incomplete',
  'stream-truncated': 'the stream broke off',
  'stream-protocol': 'the stream could not be understood',
  'idle-timeout': 'the stream went silent',
  'request-timeout': 'the provider did not answer in time',
  'retry-limit': 'too many attempts failed',
  unauthorized: 'the provider refused the credentials',
  'context-window-exceeded': 'the request is too long',
  'quota-exceeded': 'the quota is used up',
  'usage-limit-reached': 'the usage limit is reached',
  'usage-not-included': 'the plan does not include this',
  'invalid-request': 'the provider refused the request',
  'invalid-image': 'the provider refused an image',
  policy: 'the provider refused the request',
  configuration: 'the configuration does not work',
  compaction: 'the history could not be made shorter',
  'compaction-loop': 'making the history shorter does not help any more',
  'budget-exceeded': 'the budget is used up',
  undo: 'nothing could be undone',
  review: 'the review failed',
  internal: 'something went wrong',
};

/** What a person is told first about an attempt that failed, in a few words. */
export function retryReason(code: TurnFailure['code']): string {
  return REASONS[code];
}
