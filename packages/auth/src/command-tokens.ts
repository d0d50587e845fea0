import { untilAborted } from '@quire/network';
import { AuthError } from './auth-error.ts';

/** How the program came to its end. */
export type TokenCommandEnd =
  | { readonly kind: 'exited'; readonly exitCode: number; readonly stdout: string; readonly stderr: string }
  /** `problem` is a predicate behind the name of the program. */
  | { readonly kind: 'fault'; readonly problem: string };

export interface CommandTokensOptions {
  readonly providerId: string;
  /** Names the program in messages. Its arguments may be secret and are not told. */
  readonly command: string;
  /** How long a token is used before the next is asked for. 0: until it is refused. */
  readonly refreshIntervalMs: number;
  /** Runs the program, within a bound of time. Rejects with the reason of the signal only. */
  readonly run: (options: { readonly signal: AbortSignal }) => Promise<TokenCommandEnd>;
  /** Takes what is known to be secret out of a text. */
  readonly redact: (text: string) => string;
  /** Told of every token before it is used. Must not throw. */
  readonly onToken: (token: string) => void;
  /** Milliseconds. Default: the clock of the process, which no change of the time of day moves. */
  readonly now?: () => number;
}

/** What fits into a header everywhere. */
const MAX_TOKEN_LENGTH = 16 * 1024;
const TOKEN = /^[\x21-\x7e]+$/;
const MAX_COMPLAINT_LENGTH = 200;

interface Asking {
  readonly token: Promise<string>;
  readonly giveUp: AbortController;
  waiting: number;
}

/** The tokens that a program prints for a provider: one for all threads, asked for once at a time. */
export class CommandTokens {
  readonly #options: CommandTokensOptions;
  readonly #nowMs: () => number;
  #known: { readonly token: string; readonly sinceMs: number } | undefined;
  #asking: Asking | undefined;

  get providerId(): string {
    return this.#options.providerId;
  }

  constructor(options: CommandTokensOptions) {
    this.#options = options;
    this.#nowMs = options.now ?? (() => performance.now());
  }

  /** Rejects with AuthError 'token-command', or the reason of the signal. A failure is not kept. */
  async current({ signal }: { readonly signal: AbortSignal }): Promise<string> {
    signal.throwIfAborted();
    const { refreshIntervalMs } = this.#options;
    const known = this.#known;
    if (known !== undefined && (refreshIntervalMs === 0 || this.#nowMs() - known.sinceMs < refreshIntervalMs)) {
      return known.token;
    }
    return await this.#ask(signal);
  }

  /** A token in place of one that was refused: one that came since, or the next. Rejects like `current`. */
  async renew(refused: string, { signal }: { readonly signal: AbortSignal }): Promise<string> {
    signal.throwIfAborted();
    if (this.#known !== undefined && this.#known.token !== refused) return this.#known.token;
    return await this.#ask(signal);
  }

  /** One run serves all who wait; when the last of them gives up, it is ended. */
  async #ask(signal: AbortSignal): Promise<string> {
    const asking = this.#asking ?? this.#begin();
    asking.waiting += 1;
    try {
      return await untilAborted(asking.token, signal);
    } finally {
      asking.waiting -= 1;
      if (asking.waiting === 0 && this.#asking === asking) {
        this.#asking = undefined;
        asking.giveUp.abort(new Error('nobody waits for the token any more'));
        // Nothing that was started is left behind by somebody who gave up.
        await asking.token.catch(() => undefined);
      }
    }
  }

  #begin(): Asking {
    const giveUp = new AbortController();
    const token = this.#run(giveUp.signal);
    token.catch(() => undefined); // those who wait hear of it
    const asking = { token, giveUp, waiting: 0 };
    this.#asking = asking;
    const end = (): void => {
      if (this.#asking === asking) this.#asking = undefined;
    };
    token.then(end, end);
    return asking;
  }

  async #run(signal: AbortSignal): Promise<string> {
    const end = await this.#options.run({ signal });
    if (end.kind === 'fault') throw this.#failure(end.problem);
    const token = end.stdout.trim();
    if (end.exitCode !== 0) throw this.#failure(`ended with code ${end.exitCode}${this.#complaint(end, token)}`);
    if (token === '') throw this.#failure(`printed no token${this.#complaint(end, token)}`);
    if (!TOKEN.test(token))
      throw this.#failure('printed more than a token: there are spaces, line ends or other characters in it');
    if (token.length > MAX_TOKEN_LENGTH) throw this.#failure(`printed more than ${MAX_TOKEN_LENGTH} characters`);
    this.#options.onToken(token);
    this.#known = { token, sinceMs: this.#nowMs() };
    return token;
  }

  /** The last line on stderr, which may repeat what was printed. */
  #complaint({ stderr }: { readonly stderr: string }, printed: string): string {
    const last = stderr.trim().split('\n').at(-1)?.trim() ?? '';
    const secrets = printed.split(/\s+/).filter((word) => word.length >= 4);
    const plain = secrets.reduce((text, secret) => text.replaceAll(secret, '*****'), last);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    const text = this.#options.redact(plain).replace(/[\x00-\x1f\x7f]+/g, ' ');
    if (text === '') return '';
    return `: ${text.length > MAX_COMPLAINT_LENGTH ? `${text.slice(0, MAX_COMPLAINT_LENGTH)}...` : text}`;
  }

  #failure(problem: string): AuthError {
    const { providerId, command } = this.#options;
    return new AuthError(
      'token-command',
      `the program ${command}, which prints the token of the model provider "${providerId}", ${problem}; see model_providers.${providerId}.auth`,
    );
  }
}
