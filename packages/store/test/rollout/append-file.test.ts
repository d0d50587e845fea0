import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { AppendFile, type WriteBytes } from '../../src/rollout/append-file.ts';
import { temporaryFolder } from '../temporary-folder.ts';

afterEach(() => vi.restoreAllMocks());

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** Writes like the system, but each call does what the next step says: at most so many bytes, or an error. */
function scriptedWrite(steps: (number | string)[]): WriteBytes {
  return (fd, bytes, offset, length) => {
    const step = steps.shift();
    if (typeof step === 'string') throw systemError(step);
    return fs.writeSync(fd, bytes, offset, Math.min(length, step ?? length));
  };
}

function openFile(folder: string, write: WriteBytes): { readonly file: AppendFile; readonly path: string } {
  const target = path.join(folder, 'lines');
  return { file: new AppendFile({ path: target, fd: fs.openSync(target, 'a+'), write }), path: target };
}

test('short and busy writes are gone on with [STORE-35]', () => {
  using folder = temporaryFolder();
  const { file, path: target } = openFile(folder.path, scriptedWrite([1, 'EAGAIN', 2]));
  file.append(Buffer.from('one\ntwo\n'));
  file.close();
  expect(fs.readFileSync(target, 'utf8')).toBe('one\ntwo\n');
});

test('an append that fails half-way leaves nothing, and the next one works [STORE-35]', () => {
  using folder = temporaryFolder();
  const { file, path: target } = openFile(folder.path, scriptedWrite([4, 6, 'ENOSPC']));
  file.append(Buffer.from('one\n'));
  expect(() => file.append(Buffer.from('two\nthree\n'))).toThrow(
    expect.objectContaining({
      name: 'RolloutError',
      code: 'not-writable',
      path: target,
      message: `${target} can not be written: no space left on the device`,
    }),
  );
  expect(fs.readFileSync(target, 'utf8')).toBe('one\n');
  file.append(Buffer.from('four\n'));
  file.close();
  expect(fs.readFileSync(target, 'utf8')).toBe('one\nfour\n');
});

test('a torn line that can not be cut off stays apart from the next line [STORE-35]', () => {
  using folder = temporaryFolder();
  const { file, path: target } = openFile(folder.path, scriptedWrite([2, 'ENOSPC', 3, 'ENOSPC']));
  const truncate = vi.spyOn(fs, 'ftruncateSync').mockImplementation(() => {
    throw systemError('EPERM');
  });
  expect(() => file.append(Buffer.from('one\n'))).toThrow(expect.objectContaining({ code: 'not-writable' }));
  truncate.mockRestore();
  // This one fails too, but is taken back.
  expect(() => file.append(Buffer.from('two\n'))).toThrow(expect.objectContaining({ code: 'not-writable' }));
  file.append(Buffer.from('three\n'));
  file.close();
  expect(fs.readFileSync(target, 'utf8')).toBe('on\nthree\n');
});

test('what another process wrote behind a torn line is not cut off, and stays apart from the next line [STORE-35]', () => {
  using folder = temporaryFolder();
  const target = path.join(folder.path, 'lines');
  let calls = 0;
  const { file } = openFile(folder.path, (fd, bytes, offset, length) => {
    calls += 1;
    if (calls === 1) return fs.writeSync(fd, bytes, offset, 2);
    if (calls > 2) return fs.writeSync(fd, bytes, offset, length);
    fs.appendFileSync(target, 'other');
    throw systemError('ENOSPC');
  });
  expect(() => file.append(Buffer.from('one\n'))).toThrow(expect.objectContaining({ code: 'not-writable' }));
  file.append(Buffer.from('two\n'));
  file.append(Buffer.from('three\n'));
  file.close();
  expect(fs.readFileSync(target, 'utf8')).toBe('onother\ntwo\nthree\n');
});

test('a write that takes nothing is given up, not repeated for ever [STORE-35]', () => {
  using folder = temporaryFolder();
  const { file } = openFile(folder.path, () => 0);
  expect(() => file.append(Buffer.from('one\n'))).toThrow(/can not be written: nothing was written/);
  file.close();
});

test.skipIf(!fs.existsSync('/dev/full'))('a full device is reported as such [STORE-35]', () => {
  const file = new AppendFile({ path: '/dev/full', fd: fs.openSync('/dev/full', 'a+') });
  expect(() => file.append(Buffer.from('one\n'))).toThrow('/dev/full can not be written: no space left on the device');
  file.close();
});
