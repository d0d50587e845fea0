import type { JsonObject } from '@quire/protocol';
import { isImage, partsField, partsOf } from '../context-tags.ts';
import type { RecordedRequest } from '../recorded-request.ts';
import { status } from './faults.ts';
import { respondExactly } from './respond.ts';
import { previousResponseNotFound } from './side-information.ts';
import type { Answer } from './step.ts';

/** A standing rule about items that the service does not take. */
export interface ItemRefusal {
  readonly kind: 'item-refusal';
  /** Why the item is refused, as a sentence; `undefined`: it is not. `index` is its place in the conversation. */
  readonly reasonFor: (item: JsonObject, index: number) => string | undefined;
  readonly form: 'image' | 'index';
}

export interface RefusedItem {
  readonly item: JsonObject;
  readonly answer: Answer;
}

/**
 * Makes the service refuse items for as long as requests hold them. The error names the place in the input as sent:
 * `input[3]` in the form `index`; in the form `image`, of which only items with an image are asked about, that of the
 * item's first image, `input[3].content[1].image_url`.
 */
export function refuseItems(
  reasonFor: ItemRefusal['reasonFor'],
  options: { readonly form: ItemRefusal['form'] },
): ItemRefusal {
  return { kind: 'item-refusal', reasonFor, form: options.form };
}

/** The first item of the conversation that one of the rules refuses, and what the service says. */
export function findRefused(
  request: Pick<RecordedRequest, 'input' | 'inheritedItems' | 'transport' | 'body'>,
  refusals: readonly ItemRefusal[],
): RefusedItem | undefined {
  if (refusals.length === 0 || request.transport === 'chat') return undefined;
  for (const [index, item] of request.input.entries()) {
    for (const { reasonFor, form } of refusals) {
      const imageAt = partsOf(item).findIndex(isImage);
      if (form === 'image' && imageAt < 0) continue;
      const reason = reasonFor(item, index);
      if (reason === undefined) continue;
      // What was not sent has no place that the error could name: the client has to send it all again.
      if (index < request.inheritedItems) {
        const answer = respondExactly(previousResponseNotFound(String(request.body['previous_response_id'])));
        return { item, answer };
      }
      const place = `input[${index - request.inheritedItems}]`;
      const image = `${place}.${partsField(item)}[${imageAt}].image_url`;
      return { item, answer: form === 'image' ? refuseImage(image, reason) : refusePlace(place, reason) };
    }
  }
  return undefined;
}

function refuseImage(param: string, reason: string): Answer {
  return refuse(param, `The image data you provided does not represent a valid image. ${reason}`);
}

function refusePlace(param: string, reason: string): Answer {
  return refuse(param, `Invalid value for '${param}'. ${reason}`);
}

/** Source: the error shape of the Responses API. */
function refuse(param: string, message: string): Answer {
  return status(/* code */ 400, { body: { error: { message, type: 'invalid_request_error', param, code: null } } });
}
