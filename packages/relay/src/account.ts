import { ByteBucket, ByteQuota } from './byte-limits.ts';

/** Accounts without anything on them that are remembered; above it the one used longest ago is forgotten. */
export const MAX_IDLE_ACCOUNTS = 4096;

/** Whoever relay links are carried for, see `creditAccount`: pays for their windows, and shares its turns among them. */
export class Account {
  /** Credit that was granted for it, in bytes. */
  creditBytes = 0;
  /** Links that are forwarded for it. */
  links = 0;
  readonly bucket: ByteBucket = new ByteBucket();
  readonly quota: ByteQuota = new ByteQuota();

  /** Whether it holds nothing. */
  get idle(): boolean {
    return this.creditBytes === 0 && this.links === 0;
  }
}

/** The accounts of a node. */
export class Accounts {
  /** The one used last at the end. */
  readonly #byName = new Map<string, Account>();

  of(name: string): Account {
    const account = this.#byName.get(name) ?? new Account();
    this.#byName.delete(name);
    this.#byName.set(name, account);
    if (this.#byName.size > MAX_IDLE_ACCOUNTS) this.#forget(name);
    return account;
  }

  #forget(but: string): void {
    for (const [name, account] of this.#byName) {
      if (name === but || !account.idle) continue;
      this.#byName.delete(name);
      return;
    }
  }
}
