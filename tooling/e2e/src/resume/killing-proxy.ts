import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import type { Kill } from './kill-plan.ts';
import { type Direction, Proxied, type ProxiedHost } from './proxied.ts';

/** A kill that waits for a piece going backward waits for so many bytes going forward at most, and for so small a part of all. */
const BACKWARD_PATIENCE_BYTES = 256 * 1024;
const BACKWARD_PATIENCE_PART = 0.01;

/** A TCP proxy that kills the connections it carries, as planned. */
export class KillingProxy implements ProxiedHost {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #kills: readonly Kill[];
  readonly #patienceBytes: number;
  readonly #connections = new Set<Proxied>();
  #server: Server | undefined;
  #newest: Proxied | undefined;
  /** Bytes that went forward since it was armed, and before the newest connection. */
  #forwarded = 0;
  #forwardedBefore = 0;
  /** Of those, how many were lost with their connection and had to be sent again. */
  #lost = 0;
  #armed = false;
  #next = 0;
  #killed = 0;
  #last = 'none yet';

  /**
   * @param kills - in their order
   * @param bytes - that go forward in all
   */
  constructor(target: { readonly host: string; readonly port: number }, kills: readonly Kill[], bytes: number) {
    this.#target = target;
    this.#kills = kills;
    this.#patienceBytes = Math.min(BACKWARD_PATIENCE_BYTES, Math.floor(bytes * BACKWARD_PATIENCE_PART));
  }

  get killed(): number {
    return this.#killed;
  }

  /** How it gets on, for people. */
  get text(): string {
    const waits = this.#server?.listening === true ? 'listening' : 'refusing connections';
    return `${this.#killed} of ${this.#kills.length} kills (${this.#last}), ${this.#connections.size} connections, ${this.#forwarded} bytes forward, ${waits}`;
  }

  /** @param port - 0: any that is free */
  async listen(host: string, port: number): Promise<number> {
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#accept(socket));
    this.#server = server;
    server.listen({ host, port });
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  /** From here on bytes count and connections are killed. */
  arm(): void {
    this.#armed = true;
  }

  /** So many bytes had arrived at their end when the newest connection began to be of use. */
  arrived(bytes: number): void {
    this.#lost = Math.max(0, this.#forwardedBefore - bytes);
  }

  close(): void {
    this.#server?.close();
    for (const proxied of this.#connections) proxied.destroy();
  }

  cut(proxied: Proxied, direction: Direction, length: number): number | undefined {
    if (!this.#armed) return undefined;
    const kill = this.#kills[this.#next];
    const cut = proxied === this.#newest && kill !== undefined ? this.#cutFor(kill, proxied, direction, length) : undefined;
    if (direction === 'forward') this.#forwarded += cut ?? length;
    return cut;
  }

  hit(proxied: Proxied): void {
    const kill = this.#kills[this.#next++] as Kill;
    this.#newest = undefined;
    void this.#kill(proxied, kill);
  }

  over(proxied: Proxied): void {
    this.#connections.delete(proxied);
  }

  #accept(socket: Socket): void {
    const proxied = new Proxied(socket, this.#target, this);
    this.#connections.add(proxied);
    this.#newest = proxied;
    this.#forwardedBefore = this.#forwarded;
  }

  #cutFor({ when, backwardCutLength }: Kill, proxied: Proxied, direction: Direction, length: number): number | undefined {
    if (when.type === 'soon') {
      const left = Math.max(0, when.bytes - proxied.forwardedBytes);
      return left < length ? left : undefined;
    }
    const left = when.bytes + this.#lost - this.#forwarded;
    if (direction === 'backward') return backwardCutLength !== undefined && left <= 0 ? Math.min(backwardCutLength, length) : undefined;
    const forwardLeft = Math.max(0, backwardCutLength === undefined ? left : left + this.#patienceBytes);
    return forwardLeft < length ? forwardLeft : undefined;
  }

  async #kill(proxied: Proxied, kill: Kill): Promise<void> {
    await proxied.kill(kill);
    this.#killed++;
    this.#last = `last at ${this.#forwarded} bytes: ${JSON.stringify(kill)}`;
    if (kill.refuseMs > 0) this.#refuse(kill.refuseMs);
  }

  #refuse(forMs: number): void {
    const server = this.#server;
    // A kill that took its time may come together with the next one.
    if (server?.listening !== true) return;
    const { address, port } = server.address() as AddressInfo;
    server.close();
    setTimeout(() => void this.listen(address, port), forMs);
  }
}
