import { setTimeout as sleep } from 'node:timers/promises';
import type { Member, Network } from '../network.ts';

/** A relay of the network, and whether its process runs. */
export interface RelayState {
  readonly name: string;
  readonly peerId: string;
  /** `host:port`. */
  readonly endpoint: string;
  readonly state: 'running' | 'down';
}

/** Who hears what becomes of the nodes. */
export interface KeeperObserver {
  killed(name: string): void;
  /** One ended by itself; `why` says which, and how. */
  ended(why: string): void;
  revived(name: string): void;
  /** It did not come up; it is tried again. */
  notRevived(name: string, error: unknown): void;
}

/** Starts nodes again that have ended, and ends relays when somebody wants to see what happens. */
export class RelayKeeper {
  readonly #network: Network;
  readonly #reviveAfterMs: number;
  readonly #observer: KeeperObserver;
  readonly #signal: AbortSignal;
  readonly #down = new Set<string>();
  readonly #killed = new Set<string>();

  /** @param signal - aborts when the network ends: then nobody is started again */
  constructor(network: Network, reviveAfterMs: number, observer: KeeperObserver, signal: AbortSignal) {
    this.#network = network;
    this.#reviveAfterMs = reviveAfterMs;
    this.#observer = observer;
    this.#signal = signal;
    for (const { role } of network.members) void this.#keep(role.name);
  }

  get relays(): readonly RelayState[] {
    return this.#network.members
      .filter(({ role }) => role.meshed)
      .map(({ role: { name }, peerId, endpoint }) => ({ name, peerId, endpoint, state: this.#down.has(name) ? 'down' : 'running' }));
  }

  /** What all nodes but A are called, by peer id. */
  get names(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#network.members.map(({ role: { name }, peerId }) => [peerId, name]));
  }

  /**
   * Kills a relay; one that is down stays so.
   * @returns false for a peer that is no relay of the network
   */
  kill(peerId: string): boolean {
    const relay = this.#network.members.find((member) => member.role.meshed && member.peerId === peerId);
    if (relay === undefined) return false;
    const { name } = relay.role;
    if (this.#down.has(name)) return true;
    this.#killed.add(name);
    this.#down.add(name);
    relay.process.kill();
    return true;
  }

  async #keep(name: string): Promise<void> {
    while (!this.#signal.aborted) {
      const member = this.#network.member(name);
      // oxlint-disable-next-line no-await-in-loop
      await member.process.exited;
      if (this.#signal.aborted) return;
      this.#down.add(name);
      if (this.#killed.delete(name)) this.#observer.killed(name);
      else this.#observer.ended(member.process.endedEarly().message);
      // oxlint-disable-next-line no-await-in-loop
      await this.#revive(member);
    }
  }

  async #revive({ role: { name } }: Member): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        // oxlint-disable-next-line no-await-in-loop
        await sleep(this.#reviveAfterMs, undefined, { signal: this.#signal });
        // oxlint-disable-next-line no-await-in-loop
        await this.#network.restart(name);
        this.#down.delete(name);
        this.#observer.revived(name);
        return;
      } catch (error) {
        if (!this.#signal.aborted) this.#observer.notRevived(name, error);
      }
    }
  }
}
