import { assertNever } from '@quire/protocol';
import type { StreamPart } from '../script/step.ts';
import type { Block } from '../server/write-body.ts';
import { encodeCompressedText, encodeFrame, headLength, OPCODES, writeHead } from './frame.ts';

/** Small frames are joined up to this size: 100,000 of them are a few hundred writes. */
const BLOCK_BYTES = 64 * 1024;

/** Spells events as text frames, in blocks of whole frames. */
export function* encodeFrames(parts: Iterable<StreamPart>, options: { readonly compress: boolean }): Generator<Block> {
  let block = Buffer.allocUnsafe(BLOCK_BYTES);
  let used = 0;
  const take = (): Buffer => {
    const filled = block.subarray(0, used);
    block = Buffer.allocUnsafe(BLOCK_BYTES); // the filled one still waits to be written
    used = 0;
    return filled;
  };
  for (const part of parts) {
    if (part.kind === 'event' && !options.compress) {
      const length = Buffer.byteLength(part.json);
      const head = headLength(length);
      if (used > 0 && used + head + length > BLOCK_BYTES) yield take();
      if (head + length <= BLOCK_BYTES) {
        writeHead(block, used, { opcode: OPCODES.text, length });
        block.write(part.json, used + head);
        used += head + length;
      } else yield encodeFrame(OPCODES.text, Buffer.from(part.json));
      continue;
    }
    if (used > 0) yield take();
    yield encodePart(part);
  }
  if (used > 0) yield take();
}

function encodePart(part: StreamPart): Block {
  switch (part.kind) {
    case 'event':
      return encodeCompressedText(part.json);
    case 'raw':
      return encodeFrame(OPCODES.text, part.bytes);
    case 'comment':
      return encodeFrame(OPCODES.ping, Buffer.from(part.words).subarray(0, 125));
    case 'frame':
      return encodeFrame(OPCODES[part.opcode], part.payload);
    case 'pause':
      return { pauseMs: part.delayMs };
    case 'precomputed':
      return part.frames;
    default:
      return assertNever(part, 'encodePart');
  }
}
