import { describe, expect, test } from 'vitest';
import type { ImageCodec } from '../../src/image/image-codec.ts';
import { shortReason } from '../../src/image/image-problem.ts';
import { loadPhotonCodec } from '../../src/image/photon-codec.ts';
import { prepareImage } from '../../src/image/prepare-image.ts';
import { animation, noise, plain, pngOf } from './image-samples.ts';

/** What is made of a picture, or why nothing is. */
async function outcome(bytes: Buffer, codec: ImageCodec | undefined): Promise<unknown> {
  const image = await prepareImage(bytes, 'fitted', codec);
  if (image.kind === 'problem') return `${image.code}: ${shortReason(image)}`;
  return `${image.format} ${image.width} x ${image.height}${image.bytes === bytes ? ', as it was' : ''}`;
}

describe('without any decoder', () => {
  test('what needs no change is checked by its structure, all else is refused with the remedy [FILE-73]', async () => {
    const refusal = (what: string): string =>
      `unsupported: it is a ${what} pixels, and converting images needs the optional package sharp, which is not installed; ` +
      'save it as a PNG or JPEG of at most 2048 x 768 pixels';
    const cases: readonly (readonly [Buffer, string])[] = [
      [await noise().png().toBuffer(), 'png 300 x 7, as it was'],
      [await noise().jpeg().toBuffer(), 'jpeg 300 x 7, as it was'],
      [await noise().webp().toBuffer(), 'webp 300 x 7, as it was'],
      [await noise().gif().toBuffer(), refusal('GIF of 300 x 7')],
      [await animation('webp'), refusal('WEBP of 50 x 40')],
      [await plain({ width: 3_000, height: 10 }).png().toBuffer(), refusal('PNG of 3000 x 10')],
      [
        (await noise().png().toBuffer()).subarray(0, 500),
        'damaged: the PNG image is damaged (it ends too early); save it again',
      ],
    ];
    expect(await Promise.all(cases.map(([bytes]) => outcome(bytes, /* codec */ undefined)))).toEqual(
      cases.map(([, expected]) => expected),
    );
  });
});

describe('with the decoder that needs no program of the machine', () => {
  test('pictures are checked and converted all the same [FILE-74]', async () => {
    const codec = await loadPhotonCodec();
    const damaged = await noise({ width: 60, height: 40 }).png().toBuffer();
    damaged.fill(0x5a, 200, 264);
    const cases: readonly (readonly [Buffer, string])[] = [
      [await noise().png().toBuffer(), 'png 300 x 7, as it was'],
      [await noise().gif().toBuffer(), 'png 300 x 7'],
      [await plain({ width: 2_100, height: 50 }).jpeg().toBuffer(), 'jpeg 2048 x 49'],
      [await plain({ width: 2_100, height: 50 }).webp().toBuffer(), 'png 2048 x 49'],
      [damaged, 'damaged: the PNG image is damaged (it can not be decoded); save it again'],
      [
        await noise().tiff().toBuffer(),
        'unsupported: it is not a PNG, JPEG, WebP or GIF image; convert it to one of these',
      ],
      [
        pngOf({ width: 9_000, height: 9_000 }),
        'too-large: it has 9000 x 9000 pixels (81 million) and the limit is 11 million; make it smaller',
      ],
    ];
    for (const [bytes, expected] of cases) expect(await outcome(bytes, codec)).toBe(expected);
  });
});
