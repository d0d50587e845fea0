import { type JsonObject, stringAt } from '@quire/protocol';

/** What the server's words about a refused request say of its input. */
export interface NamedInput {
  /** The number in `input[number]`, as the server counts. */
  readonly index: number;
  /** The place within the item is an image. */
  readonly isImage: boolean;
}

const PARAMETER = /^input\[(\d{1,9})\]((?:\.\w+|\[\d+\])*)$/;
/** Not behind a dot or a bracket: `tools[0].input[1]` is another input. */
const IN_TEXT = /(?<![\w.\]])input\[(\d{1,9})\]((?:\.\w+|\[\d+\])*)/g;
const IMAGE_PLACE = /\.image_url(?:\.url)?$/;

/** The server's sentence about an image has no code of its own. Source: observed. */
const IMAGE_SENTENCE = /\bdata\b.{0,60}\bnot represent a valid image/i;

/** Source: error codes in the public reference of the Responses API. */
const IMAGE_CODES: ReadonlySet<string> = new Set([
  'invalid_image',
  'invalid_image_format',
  'invalid_base64_image',
  'invalid_image_url',
  'invalid_image_mode',
  'image_too_large',
  'image_too_small',
  'image_parse_error',
  'image_content_policy_violation',
  'image_file_too_large',
  'unsupported_image_media_type',
  'empty_image_file',
  'failed_to_download_image',
  'image_file_not_found',
]);

export const IMAGE_REFUSED = 'the provider can not read an image of this conversation; remove it and try again';

/** `param` is asked first. A text that names several items does not tell which one is at fault: `undefined`. */
export function namedInput(error: JsonObject | undefined, text: string): NamedInput | undefined {
  const parameter = PARAMETER.exec((error === undefined ? undefined : stringAt(error, 'param')) ?? '');
  if (parameter !== null) return toNamedInput(parameter);
  const [first, ...others] = [...text.matchAll(IN_TEXT)].map(toNamedInput);
  return first !== undefined && others.every(({ index }) => index === first.index) ? first : undefined;
}

function toNamedInput([, index, place]: RegExpExecArray): NamedInput {
  return { index: Number(index), isImage: IMAGE_PLACE.test(place ?? '') };
}

/** Whether an image is what was refused: by the error's code, the place it names, or the server's sentence. */
export function refusesImage(code: string | undefined, named: NamedInput | undefined, text: string): boolean {
  return (code !== undefined && IMAGE_CODES.has(code)) || named?.isImage === true || IMAGE_SENTENCE.test(text);
}
