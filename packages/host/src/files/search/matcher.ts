export interface MatcherOrder {
  readonly paths: readonly string[];
  /** The file was named by the query itself: it is searched even if it is binary. */
  readonly isAsked: boolean;
}

/** Which of the paths have a line that matches. */
export type MatcherAnswer = readonly number[];

/**
 * The program of the thread that matches lines. It is a text because the command is one bundle, in which a thread has no
 * file of its own to start from. It is given a `LinePattern`, and answers each `MatcherOrder`.
 *
 * A file is read in pieces as ripgrep reads it, and is binary when a NUL comes in the piece with the first match or before.
 */
export const MATCHER = `'use strict';
const { parentPort, workerData } = require('node:worker_threads');
const fs = require('node:fs');
const CHUNK_BYTES = 65536;
const LONGEST_LINE_BYTES = 4 * 1024 * 1024;
const UTF_16_LIMIT_BYTES = 64 * 1024 * 1024;
const NEWLINE = 10;
const expression = new RegExp(workerData.source, workerData.flags);
const literal = workerData.literal === undefined ? undefined : Buffer.from(workerData.literal);
const chunk = Buffer.allocUnsafe(CHUNK_BYTES);

function linesMatch(text) {
  return text.split('\\n').some((line) => expression.test(line));
}

function blockMatches(block) {
  if (block.length === 0) return false;
  const end = block[block.length - 1] === NEWLINE ? block.length - 1 : block.length;
  return literal === undefined ? linesMatch(block.toString('utf8', 0, end)) : block.includes(literal);
}

function utf16Matches(fd, name) {
  if (fs.fstatSync(fd).size > UTF_16_LIMIT_BYTES) return false;
  const text = new TextDecoder(name).decode(fs.readFileSync(fd));
  return !text.includes('\\0') && linesMatch(text.endsWith('\\n') ? text.slice(0, -1) : text);
}

function bytesMatch(fd, isAsked) {
  let rest = Buffer.alloc(0);
  for (let position = 0; ; ) {
    const length = fs.readSync(fd, chunk, 0, CHUNK_BYTES, position);
    if (length === 0) return blockMatches(rest);
    let bytes = chunk.subarray(0, length);
    if (position === 0) {
      if (bytes[0] === 0xff && bytes[1] === 0xfe) return utf16Matches(fd, 'utf-16le');
      if (bytes[0] === 0xfe && bytes[1] === 0xff) return utf16Matches(fd, 'utf-16be');
      if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) bytes = bytes.subarray(3);
    }
    position += length;
    if (bytes.includes(0)) {
      if (!isAsked) return false;
      for (let at = bytes.indexOf(0); at !== -1; at = bytes.indexOf(0, at)) bytes[at] = NEWLINE;
    }
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end > 0 && blockMatches(Buffer.concat([rest, bytes.subarray(0, end)]))) return true;
    const begun = Buffer.from(bytes.subarray(end));
    rest = end > 0 ? begun : Buffer.concat([rest, begun]);
    if (rest.length > LONGEST_LINE_BYTES) {
      if (blockMatches(rest)) return true;
      rest = Buffer.alloc(0);
    }
  }
}

function fileMatches(path, isAsked) {
  let fd;
  try {
    fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    return bytesMatch(fd, isAsked);
  } catch {
    return false;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

parentPort.on('message', ({ paths, isAsked }) => {
  const matching = [];
  for (const [index, path] of paths.entries()) if (fileMatches(path, isAsked)) matching.push(index);
  parentPort.postMessage(matching);
});
`;
