import type { ImageReader, ImageReading, ThreadSettings } from '@quire/core';
import type { JsonObject } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { createViewImageTool } from '../../../src/tools/files/view-image.ts';
import { settings } from '../../thread/harness.ts';
import { refusal, serve } from './file-call.ts';

const URL = 'data:image/png;base64,AAAA';
const IMAGE: ImageReading = { kind: 'image', dataUrl: URL, width: 1, height: 1, isOriginal: true };
const base = settings();
const ABLE: Partial<ThreadSettings> = {
  model: { ...base.model, inputModalities: ['text', 'image'], supportsOriginalImages: true },
};
const withFeature = (originalImages: boolean): Partial<ThreadSettings> => ({
  choices: { ...base.choices, tools: { ...base.choices.tools, originalImages } },
});
const TEXT_ONLY: Partial<ThreadSettings> = { model: { ...base.model, inputModalities: ['text'] } };

class FakeImages implements ImageReader {
  readonly asked: unknown[] = [];
  readonly #reading: ImageReading;

  constructor(reading: ImageReading = IMAGE) {
    this.#reading = reading;
  }

  read: ImageReader['read'] = async (path, { size, signal }) => {
    signal.throwIfAborted();
    this.asked.push([path, size]);
    return this.#reading;
  };
}

const view = (images: ImageReader, args: JsonObject | string, own: Partial<ThreadSettings> = {}) =>
  serve([createViewImageTool(images)], 'view_image', args, { settings: own });

test('view_image may overlap, and offers the full size only where it can be had [FILE-50]', () => {
  const shapes = [
    createViewImageTool(new FakeImages()),
    createViewImageTool(new FakeImages(), { offersOriginal: true }),
  ];
  const shared = { type: 'function', name: 'view_image', strict: false, description: expect.any(String) };
  const schema = { type: 'object', required: ['path'], additionalProperties: false };
  const path = { type: 'string', description: expect.any(String) };
  const detail = { ...path, enum: ['original'] };
  expect(shapes.map(({ kind, parallelSafe, spec }) => ({ kind, parallelSafe, spec }))).toEqual([
    { kind: 'image', parallelSafe: true, spec: { ...shared, parameters: { ...schema, properties: { path } } } },
    { kind: 'image', parallelSafe: true, spec: { ...shared, parameters: { ...schema, properties: { path, detail } } } },
  ]);
});

test('a picture is handed over as one image item, and shown by its path [FILE-51]', async () => {
  const images = new FakeImages();
  expect(await view(images, { path: 'a/../b.png' })).toEqual({
    output: [{ type: 'input_image', image_url: URL }],
    endItem: { kind: 'image-view', id: 'call', path: '/repo/b.png' },
  });
  expect(images.asked).toEqual([['/repo/b.png', 'fitted']]);
});

describe('the full size', () => {
  test('is given when model and call agree [FILE-52]', async () => {
    const images = new FakeImages();
    const { output } = await view(images, { path: '/b.png', detail: 'original' }, ABLE);
    expect({ output, asked: images.asked }).toEqual({
      output: [{ type: 'input_image', image_url: URL, detail: 'original' }],
      asked: [['/b.png', 'original']],
    });
  });

  test.each([
    ['nobody asks for it', {}, ABLE],
    ['the model does not say that it takes it', { detail: 'original' }, {}],
    ['the feature is on for an earlier model', { detail: 'original' }, withFeature(/* originalImages */ true)],
  ])('is not given when %s [FILE-52]', async (_what, args, own) => {
    const images = new FakeImages();
    const { output } = await view(images, { path: '/b.png', ...args }, own);
    expect({ output, asked: images.asked }).toEqual({
      output: [{ type: 'input_image', image_url: URL }],
      asked: [['/b.png', 'fitted']],
    });
  });
});

describe('what can not be shown', () => {
  test('a model without images is told so before anything else [FILE-53]', async () => {
    const images = new FakeImages();
    const text = 'view_image is not allowed because you do not support image inputs';
    expect(await view(images, '{', TEXT_ONLY)).toEqual(refusal('view_image', text));
    expect(images.asked).toEqual([]);
  });

  test.each([
    ['{', /^failed to parse function arguments: /],
    [{}, 'failed to parse function arguments: missing field `path`'],
    [{ path: 3 }, 'failed to parse function arguments: `path` must be a string'],
    [
      { path: 'a', detail: 'high' },
      '`detail` of view_image can only be `original`, not "high"; leave it out for the usual size',
    ],
  ])('wrong arguments are refused: %j [FILE-54]', async (args, message) => {
    const expected = typeof message === 'string' ? message : expect.stringMatching(message);
    expect(await view(new FakeImages(), args)).toEqual(refusal('view_image', expected));
  });

  test.each<[ImageReading, string]>([
    [{ kind: 'missing', reason: 'ENOENT' }, 'unable to locate image at `/repo/a.png`: ENOENT'],
    [{ kind: 'not-a-file' }, 'image path `/repo/a.png` is not a file'],
    [{ kind: 'unusable', reason: 'it is cut' }, 'unable to process image at `/repo/a.png`: it is cut'],
  ])('%j is told as it is [FILE-55]', async (reading, message) => {
    expect(await view(new FakeImages(reading), { path: 'a.png' })).toEqual(refusal('view_image', message));
  });

  test('it ends with the signal of its turn [FILE-17]', async () => {
    const reason = new Error('stop');
    const tools = [createViewImageTool(new FakeImages())];
    const serving = serve(tools, 'view_image', { path: 'a' }, { signal: AbortSignal.abort(reason) });
    await expect(serving).rejects.toBe(reason);
  });
});
