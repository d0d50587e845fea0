/** What a person hands to a turn. */
export type UserInput =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'image';
      /** An http(s) or data URL, already checked to be an image the model can take. */
      readonly url: string;
      /** Absolute path of the file it was read from. */
      readonly path?: string;
    };
