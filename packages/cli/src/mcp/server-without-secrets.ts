import type { McpServerConfig } from '@quire/core';
import { loadConfigTools } from '@quire/store';

/** The server as people are shown it; variables and headers are left to whoever prints their names only. */
export async function serverWithoutSecrets(config: McpServerConfig): Promise<McpServerConfig> {
  const { textWithoutSecrets, wordsWithoutSecrets } = await loadConfigTools();
  const { transport } = config;
  return {
    ...config,
    transport:
      transport.kind === 'stdio'
        ? { ...transport, args: wordsWithoutSecrets(transport.args) }
        : { ...transport, url: textWithoutSecrets(transport.url) },
  };
}
