/** What a header can carry; a longer value would be refused by gateways. */
const ECHOABLE = /^[\x20-\x7e]{1,8192}$/;

/** The token that a server wants echoed within one turn. The first value stays; a new turn starts without. */
export class TurnState {
  #value: string | undefined;

  get value(): string | undefined {
    return this.#value;
  }

  /** A value that no header can carry is left alone: sending it would fail the request. */
  capture(value: string | undefined): void {
    if (value !== undefined && ECHOABLE.test(value)) this.#value ??= value;
  }
}
