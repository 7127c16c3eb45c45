import type { Random } from '@matryoshka/session';
import type { BreakOptions, Clock, MemoryWire, WireSide } from '@matryoshka/transport';
import type { Endpoint } from '@matryoshka/wire';
import { randomReal } from './random-real.ts';

/** How a link is cut. */
export interface CutOptions {
  /**
   * Not now, but under the message that holds this byte of all that `side` sends, counted from 0 and the first message
   * of the dial included. That message does not arrive.
   */
  readonly at?: { readonly side: WireSide; readonly byte: number };
  /** Whether what is on its way is lost, too. Default: it arrives, unless its receiver has learnt of the cut before. */
  readonly inFlight?: boolean;
  /** After how many milliseconds each side sees `transport.closed`; `Infinity` is never. Default: both at once. */
  readonly toldMs?: Partial<Readonly<Record<WireSide, number>>>;
}

/** One link of the simulated internet. It fails as cables and the machines at their ends do. */
export class SimulatedWire {
  /** Counts the links of a world, from 1. */
  readonly id: number;
  /** Who dialled, and from which port. */
  readonly dialler: Endpoint;
  /** Who was dialled. */
  readonly listener: Endpoint;
  readonly #wire: MemoryWire;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #sentBytes: Record<WireSide, number> = { dialler: 0, listener: 0 };
  #planned: CutOptions | undefined;
  #severed = false;
  #open = true;

  /** Made by a network. */
  constructor(id: number, wire: MemoryWire, clock: Clock, random: Random) {
    this.id = id;
    this.dialler = wire.dialler;
    this.listener = wire.listener;
    this.#wire = wire;
    this.#clock = clock;
    this.#random = random;
  }

  /** Whether one of its ends is not closed yet. */
  get open(): boolean {
    return this.#open;
  }

  /** Whether it was cut: a cut that was planned for a later byte has happened. */
  get severed(): boolean {
    return this.#severed;
  }

  /** Bytes that `side` has sent so far, lost ones included. */
  sentBytes(side: WireSide): number {
    return this.#sentBytes[side];
  }

  /** The side that this host is at. */
  sideOf(host: string): WireSide | undefined {
    if (this.dialler.host === host) return 'dialler';
    return this.listener.host === host ? 'listener' : undefined;
  }

  /** Cuts the link, now or under the byte named. Whether the last sends are still counted as written is left to chance. */
  cut(options: CutOptions = {}): void {
    const { at, inFlight = false, toldMs = {} } = options;
    if (at !== undefined && this.#sentBytes[at.side] <= at.byte) {
      this.#planned = options;
      return;
    }
    this.#planned = undefined;
    this.#severed = true;
    for (const side of SIDES) this.#wire.lose(side, inFlight);
    for (const side of SIDES) this.#tell(side, toldMs[side] ?? 0);
  }

  /**
   * Nothing that `side` sends arrives any more, and nobody is told: the other side waits, `side` itself still hears. On
   * both sides it is a link that died and that nobody knows of.
   */
  lose(side: WireSide, { inFlight = false }: { readonly inFlight?: boolean } = {}): void {
    this.#wire.lose(side, inFlight);
  }

  /** Ends one side alone; the other one learns nothing from it. `silent`: that side is not told either, its owner is gone. */
  break(side: WireSide, options?: BreakOptions): void {
    this.#wire.break(side, options);
  }

  /** For the network: `side` sends so many bytes now. */
  sends(side: WireSide, length: number): void {
    this.#sentBytes[side] += length;
    const at = this.#planned?.at;
    if (at?.side === side && at.byte < this.#sentBytes[side]) this.cut(this.#planned);
  }

  /** For the network: both ends are closed. */
  ended(): void {
    this.#open = false;
  }

  #tell(side: WireSide, afterMs: number): void {
    const end = (): void => this.#wire.break(side, { counted: randomReal(this.#random) < 0.5 });
    if (afterMs === 0) end();
    else if (afterMs !== Number.POSITIVE_INFINITY) this.#clock.after(afterMs, end);
  }
}

const SIDES: readonly WireSide[] = ['dialler', 'listener'];
