import type { ToolCallItem } from '@quire/protocol';
import { acceptsImages } from '../../model/turn/images.ts';
import { resolvePath } from '../../paths.ts';
import type { ImageReader, ImageReading } from '../../ports/image-reader.ts';
import { type ArgumentReading, parseArguments } from '../call-arguments.ts';
import type { Tool, ToolContext, ToolResult } from '../tool.ts';
import { toolError } from '../tool-router.ts';
import { readOptionalText, readText, unusable } from './file-arguments.ts';

const NAME = 'view_image';
const NO_IMAGES = 'view_image is not allowed because you do not support image inputs';

interface ViewArguments {
  readonly path: string;
  readonly wantsOriginal: boolean;
}

const PATH_PARAMETER = {
  path: { type: 'string', description: 'Path of the image file, absolute or from the working directory.' },
} as const;
const DETAIL_PARAMETER = {
  detail: {
    type: 'string',
    enum: ['original'],
    description:
      'Give `original` to see the image in its full size, for fine detail. Without it a large one is made smaller.',
  },
} as const;

/**
 * Shows the model a picture on disk. Source for arguments and output: the peer's `view_image`.
 *
 * @param options.offersOriginal the model may have pictures in their own size
 */
export function createViewImageTool(
  images: ImageReader,
  options: { readonly offersOriginal: boolean } = { offersOriginal: false },
): Tool {
  return {
    name: NAME,
    kind: 'image',
    parallelSafe: true,
    spec: {
      type: 'function',
      name: NAME,
      description: 'Shows you an image file of this machine.',
      strict: false,
      parameters: {
        type: 'object',
        properties: options.offersOriginal ? { ...PATH_PARAMETER, ...DETAIL_PARAMETER } : PATH_PARAMETER,
        required: ['path'],
        additionalProperties: false,
      },
    },
    run: (call, context) => viewImage(images, call, context),
  };
}

async function viewImage(images: ImageReader, call: ToolCallItem, context: ToolContext): Promise<ToolResult> {
  const { settings, signal } = context;
  if (!acceptsImages(settings.model)) return toolError(call, NAME, NO_IMAGES);
  const args = readArguments(call, settings.cwd);
  if (args.kind === 'invalid') return toolError(call, NAME, args.message);
  const { path, wantsOriginal } = args.value;
  // A model that may not have it sees the fitted picture, which is better than none.
  const isOriginal = wantsOriginal && settings.tools.originalImages;
  const image = await images.read(path, { size: isOriginal ? 'original' : 'fitted', signal });
  if (image.kind !== 'image') return toolError(call, NAME, failureText(image, path));
  return {
    output: [{ type: 'input_image', image_url: image.dataUrl, ...(isOriginal ? { detail: 'original' } : {}) }],
    endItem: { kind: 'image-view', id: call.call_id ?? NAME, path },
  };
}

function readArguments(call: ToolCallItem, cwd: string): ArgumentReading<ViewArguments> {
  const parsed = parseArguments(call);
  if (parsed.kind === 'invalid') return parsed;
  const path = readText(parsed.value, 'path');
  if (path.kind === 'invalid') return path;
  const detail = readOptionalText(parsed.value, 'detail');
  if (detail.kind === 'invalid') return detail;
  if (detail.value !== undefined && detail.value !== 'original') {
    return unusable(
      `\`detail\` of view_image can only be \`original\`, not ${JSON.stringify(detail.value)}; leave it out for the usual size`,
    );
  }
  return { kind: 'ok', value: { path: resolvePath(cwd, path.value), wantsOriginal: detail.value === 'original' } };
}

function failureText(reading: Exclude<ImageReading, { readonly kind: 'image' }>, path: string): string {
  switch (reading.kind) {
    case 'missing':
      return `unable to locate image at \`${path}\`: ${reading.reason}`;
    case 'not-a-file':
      return `image path \`${path}\` is not a file`;
    case 'unusable':
      return `unable to process image at \`${path}\`: ${reading.reason}`;
  }
}
