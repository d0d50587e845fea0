import { expect, test } from 'vitest';
import { parseToolResult } from '../../src/rehearsal/tool-result.ts';

const ended = (exitCode: number, output: string) => ({ kind: 'ended', exitCode, output });

test.each([
  [
    'Exit code: 1\nWall time: 0.1 seconds\nOutput:\nExit code: 0\nOutput:\n',
    ended(/* exitCode */ 1, 'Exit code: 0\nOutput:\n'),
  ],
  ['Exit code: 0\nWall time: 2 seconds\nTotal output lines: 9\nOutput:\na', ended(/* exitCode */ 0, 'a')],
  ['Chunk ID: a1\nWall time: 0.3 seconds\nProcess exited with code 3\nOutput:\nb', ended(/* exitCode */ 3, 'b')],
  ['{"output":"c","metadata":{"exit_code":2,"duration_seconds":0.1}}', ended(/* exitCode */ 2, 'c')],
  ['Success. Updated the following files:\nM a', ended(/* exitCode */ 0, 'Success. Updated the following files:\nM a')],
  [
    'Wall time: 0.0000 seconds\nOutput:\nExit code: 0\nWall time: 0 seconds\nOutput:\nSuccess.',
    ended(/* exitCode */ 0, 'Success.'),
  ],
  ['Plan updated', ended(/* exitCode */ 0, 'Plan updated')],
])('the result %j is read as having ended [SIM-29]', (text, result) => {
  expect(parseToolResult(text)).toEqual(result);
  expect(parseToolResult([{ type: 'input_text', text }])).toEqual(result);
});

test.each([
  'aborted',
  'unsupported call: shell_command',
  'patch rejected by user',
  'Chunk ID: a1\nWall time: 1.0 seconds\nProcess running with session ID 5\nOutput:\nExit code: 0\n',
  '{"output":1}',
])('the result %j is read as not run [SIM-29]', (text) => {
  expect(parseToolResult(text)).toEqual({ kind: 'not-run', message: text });
});
