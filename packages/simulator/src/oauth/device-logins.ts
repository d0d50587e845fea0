import { createHash, randomBytes } from 'node:crypto';
import type { SimulatedAccount } from './account.ts';

export interface DeviceLogin {
  readonly id: string;
  /** What the person types in. */
  readonly userCode: string;
  readonly verifier: string;
  readonly challenge: string;
  /** Who has allowed it. */
  approvedBy: SimulatedAccount | undefined;
}

/** Logins that wait for a person on another machine. */
export class DeviceLogins {
  readonly #logins: DeviceLogin[] = [];

  get all(): readonly DeviceLogin[] {
    return this.#logins;
  }

  begin(): DeviceLogin {
    const verifier = randomBytes(48).toString('base64url');
    const letters = randomBytes(4).toString('hex').toUpperCase();
    const login: DeviceLogin = {
      id: `device-${this.#logins.length}`,
      userCode: `${letters.slice(0, 4)}-${letters.slice(4)}`,
      verifier,
      challenge: createHash('sha256').update(verifier).digest('base64url'),
      approvedBy: undefined,
    };
    this.#logins.push(login);
    return login;
  }

  find(id: string | undefined, userCode: string | undefined): DeviceLogin | undefined {
    return this.#logins.find((login) => login.id === id && login.userCode === userCode);
  }

  approve(userCode: string, account: SimulatedAccount): void {
    const login = this.#logins.find((candidate) => candidate.userCode === userCode);
    if (login !== undefined) login.approvedBy = account;
  }
}
