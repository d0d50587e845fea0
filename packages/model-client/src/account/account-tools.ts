export { fetchUsage, snapshotsFromUsage, type UsageRequest, usageUrl } from '../limits/usage-endpoint.ts';
export { accountSnapshot } from './account-snapshot.ts';
export { refreshUsage } from './refresh-usage.ts';
