export type ImageErrorCode = 'not-found' | 'unreadable' | 'too-large' | 'unsupported' | 'damaged';

/** Why a file can not be shown to a model. */
export interface ImageProblem {
  readonly kind: 'problem';
  readonly code: ImageErrorCode;
  /** What the file is, when that is known: `the PNG image`. */
  readonly name: string | undefined;
  /** What is wrong with the file, which is called `subject`, and the remedy, in one line. */
  readonly reason: (subject: string) => string;
}

export function imageProblem(code: ImageErrorCode, reason: ImageProblem['reason'], name?: string): ImageProblem {
  return { kind: 'problem', code, name, reason };
}

/** For a reader who knows which file it is about. */
export function shortReason({ name = 'it', reason }: ImageProblem): string {
  return reason(name);
}

export function reasonWithPath({ name, reason }: ImageProblem, path: string): string {
  return reason(name === undefined ? path : `${name} ${path}`);
}
