import type { HttpDialect } from '../http-exchange.ts';
import { chatBody } from './chat-body.ts';
import { ChatCodec } from './chat-codec.ts';

/** `POST …/chat/completions`, for hosts that do not know the Responses API. */
export const chatDialect: HttpDialect = {
  path: 'chat/completions',
  encode: chatBody,
  codec: (request, { requestId, context }) => {
    const freeTextTools = new Set(request.tools.flatMap((tool) => (tool.type === 'custom' ? [tool.name] : [])));
    return new ChatCodec({ requestId, secrets: context.secrets, freeTextTools });
  },
};
