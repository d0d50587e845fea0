import { readFile, rename } from 'node:fs/promises';
import { describeSystemError, leftDrafts, realFile } from '@quire/files';
import { AuthError } from '../auth-error.ts';
import { loginOf, type Place, parseAuthDocument } from '../credentials/auth-document.ts';
import type { ChatgptLogin } from '../credentials/login.ts';

/** The newest whole draft of the account that is logged in takes the place of the file, if it is newer. */
export async function takeUpDraft(path: string, place: Place): Promise<void> {
  const drafts = await leftDrafts(path);
  if (drafts.length === 0) return;
  let newest = await loginIn(path, place);
  let newestDraft: string | undefined;
  for (const draft of drafts) {
    const login = await loginIn(draft, place);
    if (newest === undefined || login === undefined || login.accountId !== newest.accountId) continue;
    if (login.lastRefreshMs <= newest.lastRefreshMs) continue;
    [newest, newestDraft] = [login, draft];
  }
  if (newestDraft === undefined) return;
  try {
    await rename(newestDraft, await realFile(path));
  } catch (cause) {
    const what = `${path} can not be written: ${describeSystemError(cause)}; check its folder`;
    throw new AuthError('not-writable', what, { cause });
  }
}

/** `undefined`: it is not there, not whole or no such login. */
async function loginIn(path: string, place: Place): Promise<ChatgptLogin | undefined> {
  try {
    const login = loginOf(parseAuthDocument(await readFile(path, 'utf8'), place), place);
    return login?.kind === 'chatgpt' ? login : undefined;
  } catch {
    return undefined;
  }
}
