export { createModelClient, type ModelClientOptions } from './model-client.ts';
export type { CredentialsSource } from './credentials-source.ts';
export type { ModelClientObserver, RequestAttempt, StreamPoll, StreamProblem } from './observer.ts';
