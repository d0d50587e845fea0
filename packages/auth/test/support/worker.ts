import { LoginKeeper } from '../../src/index.ts';

/** What a test has a process do. */
export type Task =
  /** Time has moved on to then: give the access token to use. */
  | { readonly kind: 'current'; readonly nowMs: number }
  /** The server has refused the token: recover. */
  | { readonly kind: 'recover' };

let nowMs = Date.now();
const keeper = new LoginKeeper({
  home: process.argv[2] ?? '',
  environment: process.env,
  now: () => nowMs,
  log: (record) => process.send?.({ kind: 'log', record }),
});
const signal = new AbortController().signal;

async function perform(task: Task): Promise<string> {
  if (task.kind === 'recover') {
    let last = '';
    for await (const { credentials } of keeper.recover({ signal })) {
      last = credentials.kind === 'chatgpt' ? credentials.accessToken : '';
    }
    return last;
  }
  nowMs = task.nowMs;
  const login = await keeper.current({ signal });
  return login?.kind === 'chatgpt' ? login.accessToken : '';
}

process.on('message', (task: Task) => {
  perform(task).then(
    (token) => process.send?.({ kind: 'token', token }),
    (error: unknown) => process.send?.({ kind: 'failed', message: String(error) }),
  );
});
process.send?.({ kind: 'ready' });
