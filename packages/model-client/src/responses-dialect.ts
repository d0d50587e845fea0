import { printableUrl } from './errors/redact.ts';
import { refusalInStream } from './errors/refusal-event.ts';
import { EventDecoder } from './events/event-decoder.ts';
import { RepairingDecoder } from './events/item-repair.ts';
import { headerText } from './http/headers-in.ts';
import type { HttpDialect } from './http-exchange.ts';
import type { RateLimitStore } from './limits/rate-limit-store.ts';
import type { BodyEncoder } from './request/body.ts';
import type { HostTraits } from './request/host-traits.ts';
import { ResponsesCodec } from './sse/responses-codec.ts';

/** `POST …/responses`. */
export function responsesDialect(parts: {
  readonly bodies: BodyEncoder;
  readonly traits: HostTraits;
  readonly rateLimits: RateLimitStore;
}): HttpDialect {
  const { bodies, traits, rateLimits } = parts;
  return {
    path: 'responses',
    encode: (request) => bodies.encode(request),
    codec: (_request, { requestId, response, context }) => {
      const decoder = new EventDecoder({
        requestId,
        secrets: context.secrets,
        inputIndex: context.inputIndex,
        serverModel: headerText(response.headers, 'openai-model'),
        onRateLimits: (snapshot) => rateLimits.update(snapshot),
      });
      return new ResponsesCodec(traits.losesItemEnds ? new RepairingDecoder(decoder) : decoder, {
        refusalIn: (event) => refusalInStream(event, { url: printableUrl(response.url), context }),
      });
    },
  };
}
