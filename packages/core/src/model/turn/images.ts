import type { ModelInfo } from '@quire/protocol';

export function acceptsImages(model: Pick<ModelInfo, 'inputModalities'>): boolean {
  return model.inputModalities.includes('image');
}

/** For people who attach an image to a message for a model that takes none. */
export function imageNote(model: Pick<ModelInfo, 'inputModalities' | 'slug'>): string | undefined {
  if (acceptsImages(model)) return undefined;
  return `${model.slug} takes no images: it is told that there are some, and sees none. Choose another model to have them seen.`;
}

/** The first model whose name says that it takes pictures in their own size. */
const FIRST_WITH_ORIGINALS = [5, 3] as const;
const CODEX_NAME = /^(?:[A-Za-z0-9_-]+\/)?gpt-(\d+)(?:\.(\d+))?-codex(?:$|[^a-z0-9])/;

/**
 * Whether pictures may be sent in their own size: where the model says so, and with the feature
 * (`image_detail_original`, before that `view_image_original_resolution`) also for gpt-5.3-codex and later.
 */
export function allowsOriginalImages(
  model: Pick<ModelInfo, 'slug' | 'supportsOriginalImages' | 'inputModalities'>,
  { feature }: { readonly feature: boolean },
): boolean {
  if (!acceptsImages(model)) return false;
  return model.supportsOriginalImages || (feature && isLaterCodex(model.slug));
}

function isLaterCodex(slug: string): boolean {
  const match = CODEX_NAME.exec(slug);
  if (match === null) return false;
  const [major, minor] = [Number(match[1]), Number(match[2] ?? 0)];
  const [firstMajor, firstMinor] = FIRST_WITH_ORIGINALS;
  return major > firstMajor || (major === firstMajor && minor >= firstMinor);
}
