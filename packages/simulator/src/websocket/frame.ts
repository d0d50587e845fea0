/** Frames from the server: never masked. Source: RFC 6455 section 5.2, RFC 7692 section 7.2. */
import { constants, deflateRawSync } from 'node:zlib';

export const OPCODES = { text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;

const FIN = 0x80;
const COMPRESSED = 0x40;

/** Bytes of the head of a frame with so much payload. */
export function headLength(payloadLength: number): number {
  return payloadLength < 126 ? 2 : payloadLength < 65_536 ? 4 : 10;
}

/** Writes the head at `offset`, where `headLength` bytes are free. */
export function writeHead(
  target: Buffer,
  offset: number,
  frame: { readonly opcode: number; readonly length: number; readonly isCompressed?: boolean },
): void {
  const { length } = frame;
  target[offset] = FIN | (frame.isCompressed === true ? COMPRESSED : 0) | frame.opcode;
  if (length < 126) {
    target[offset + 1] = length;
  } else if (length < 65_536) {
    target[offset + 1] = 126;
    target.writeUInt16BE(length, offset + 2);
  } else {
    target[offset + 1] = 127;
    target.writeBigUInt64BE(BigInt(length), offset + 2);
  }
}

export function encodeFrame(
  opcode: number,
  payload: Uint8Array,
  options: { readonly isCompressed?: boolean } = {},
): Buffer {
  const head = headLength(payload.length);
  const frame = Buffer.allocUnsafe(head + payload.length);
  writeHead(frame, /* offset */ 0, { opcode, length: payload.length, ...options });
  frame.set(payload, head);
  return frame;
}

/** A text frame by permessage-deflate. Each stands alone, which every negotiated context allows. */
export function encodeCompressedText(text: string): Buffer {
  const deflated = deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH });
  return encodeFrame(OPCODES.text, deflated.subarray(0, deflated.length - 4), { isCompressed: true });
}
