import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Simulator } from '@quire/simulator';
import { expect, test } from 'vitest';
import { requireNoIssuedSecret, requireNoIssuedSecretBelow } from '../support/issued-secrets.ts';
import { createWorkspace } from '../support/workspace.ts';

test('whatever the authorization server issues is found in a text and in a file, but for that of a login [SECRET-13]', async () => {
  await using signed = await Simulator.start({ oauth: {} });
  await using opaque = await Simulator.start({ oauth: { opaqueAccessTokens: true } });
  await using workspace = await createWorkspace();
  const issued = [
    ...Object.values(signed.oauth.logIn()),
    ...Object.values(opaque.oauth.logIn()),
    signed.oauth.issueAccessToken(),
  ];
  for (const token of issued) {
    expect(() => requireNoIssuedSecret('it', `{"said":"${token}"}`)).toThrow('it holds a secret');
    await writeFile(join(workspace.home, 'auth.json'), token);
    await requireNoIssuedSecretBelow(workspace.root);
    await writeFile(join(workspace.home, 'notes'), `a ${token} b`);
    await expect(requireNoIssuedSecretBelow(workspace.root)).rejects.toThrow('home/notes holds a secret');
    await writeFile(join(workspace.home, 'notes'), '');
  }
});
