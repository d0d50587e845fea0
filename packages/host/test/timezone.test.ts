import { localTimezone } from '@quire/host';
import { describe, expect, test } from 'vitest';

describe('the local time zone', () => {
  test('is what the environment names [HOST-90]', () => {
    expect(localTimezone({ TZ: 'Europe/Berlin' })).toBe('Europe/Berlin');
    expect(localTimezone({ TZ: ':America/Argentina/Ushuaia' })).toBe('America/Argentina/Ushuaia');
  });

  test('is otherwise what the platform says [HOST-91]', () => {
    expect(localTimezone({})).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone);
  });
});
