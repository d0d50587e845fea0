export { BoundedQueue, type BoundedQueueOptions, QueueClosedError, QueueOverflowError } from './bounded-queue.ts';
export { JsonLinesDecoder, type JsonLinesOptions, type JsonLinesTail, LineTooLongError } from './json-lines-decoder.ts';
export { SseDecoder, type SseDecoderOptions, SseEventTooLargeError } from './sse-decoder.ts';
