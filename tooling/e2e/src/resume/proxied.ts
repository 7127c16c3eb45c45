import { type Socket, connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Kill } from './kill-plan.ts';

/** `forward`: from the side that dialled. */
export type Direction = 'forward' | 'backward';

/** What a proxied connection asks its proxy. */
export interface ProxiedHost {
  /** How many of `length` bytes go on before the connection is killed; undefined: all, and it is not. */
  cut(proxied: Proxied, direction: Direction, length: number): number | undefined;
  /** They have gone on, and the connection is to be killed. */
  hit(proxied: Proxied): void;
  /** Both ends are gone. */
  over(proxied: Proxied): void;
}

/** A TCP connection through the proxy: its near end is the side that dialled, its far end the target. */
export class Proxied {
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #host: ProxiedHost;
  #state: 'open' | 'stalled' | 'dying' = 'open';
  #forwarded = 0;
  #left = 2;

  constructor(near: Socket, target: { readonly host: string; readonly port: number }, host: ProxiedHost) {
    this.#near = near;
    this.#far = connect({ ...target, noDelay: true, allowHalfOpen: true });
    this.#host = host;
    // What is kept here while the far end is not connected would never arrive there.
    near.pause();
    this.#far.on('connect', () => {
      if (this.#state === 'open') near.resume();
    });
    this.#carry(near, this.#far, 'forward');
    this.#carry(this.#far, near, 'backward');
  }

  /** Bytes that went on, both ways together. */
  get forwardedBytes(): number {
    return this.#forwarded;
  }

  /** Ends it the way `kill` says; resolves when its first end is gone. */
  async kill({ manner, first, halfOpenMs, swallows, stallMs }: Kill): Promise<void> {
    this.#state = 'stalled';
    this.#near.pause();
    this.#far.pause();
    if (stallMs > 0) await delay(stallMs);
    this.#state = 'dying';
    const [one, other] = first === 'near' ? [this.#near, this.#far] : [this.#far, this.#near];
    end(one, manner);
    if (halfOpenMs === 0) {
      end(other, manner);
      return;
    }
    if (swallows) other.resume();
    setTimeout(() => end(other, manner), halfOpenMs);
  }

  /** Ends it at once. */
  destroy(): void {
    this.#state = 'dying';
    this.#near.destroy();
    this.#far.destroy();
  }

  #carry(from: Socket, to: Socket, direction: Direction): void {
    from.on('data', (bytes: Buffer) => {
      if (this.#state !== 'open') return;
      const cut = this.#host.cut(this, direction, bytes.length);
      this.#forwarded += cut ?? bytes.length;
      const goOn = to.write(cut === undefined ? bytes : bytes.subarray(0, cut));
      if (cut !== undefined) this.#host.hit(this);
      else if (!goOn) from.pause();
    });
    to.on('drain', () => {
      if (this.#state === 'open') from.resume();
    });
    from.on('end', () => {
      if (this.#state === 'open') to.end();
    });
    // A `close` follows.
    from.on('error', () => {});
    from.on('close', (hadError) => {
      if (this.#state === 'open' && hadError) to.destroy();
      this.#left--;
      if (this.#left === 0) this.#host.over(this);
    });
  }
}

function end(socket: Socket, manner: Kill['manner']): void {
  if (manner === 'reset') socket.resetAndDestroy();
  else socket.destroy();
}
