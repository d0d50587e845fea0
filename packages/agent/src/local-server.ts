import { createDialer, NetworkError } from '@quire/network';
import type { ModelProvider } from '@quire/protocol';
import { isOssProviderId, type OssProviderId } from '@quire/store';
import { AgentError } from './agent-error.ts';
import type { Environment } from './environment.ts';

/** Time for a server of this machine to take a connection, in milliseconds. */
const ANSWER_MS = 5_000;

const STARTS: Readonly<Record<OssProviderId, string>> = {
  ollama: 'start it with `ollama serve`',
  lmstudio: 'start it with `lms server start`, or in the program',
};

/**
 * Found out before anything is written: the retries of a request would only hide it. Other providers are not asked.
 * @throws AgentError 'no-local-server', or the reason of the signal
 */
export async function requireLocalServer(
  { id, name, baseUrl }: Pick<ModelProvider, 'id' | 'name' | 'baseUrl'>,
  options: { readonly environment: Environment; readonly signal: AbortSignal },
): Promise<void> {
  if (!isOssProviderId(id) || baseUrl === undefined) return;
  const { environment, signal } = options;
  const url = new URL(baseUrl);
  const dialer = createDialer({ environment });
  try {
    const socket = await dialer.connect(url, { signal, timeoutMs: ANSWER_MS });
    socket.destroy();
  } catch (cause) {
    signal.throwIfAborted();
    if (!(cause instanceof NetworkError)) throw cause;
    throw new AgentError(
      'no-local-server',
      `${name} does not answer at ${url.host}: ${STARTS[id]}, or say where it is with CODEX_OSS_BASE_URL or CODEX_OSS_PORT`,
      { cause },
    );
  } finally {
    dialer.close();
  }
}
