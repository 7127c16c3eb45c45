import type { SimulatedWire, World } from '@matryoshka/simulation';
import type { FaultPlan } from './fault-plan.ts';

/** A network of nodes, by numbers, that faults happen to. */
export interface Breakable {
  readonly world: World;
  addressOf(node: number): string;
  /** Whether a node runs: it has not crashed, or has started again. */
  runs(node: number): boolean;
  /** Crashes a node; what it was is gone. Its neighbours are told after so many milliseconds, or never. */
  crash(node: number, toldMs: number): void;
  /** Starts a crashed node again. */
  restart(node: number): Promise<void>;
}

/** Lets the faults of a plan happen, and counts those that did: some find nothing to break. */
export class Faults {
  readonly #network: Breakable;
  readonly #nodes: number;
  readonly #report: (violation: string) => void;
  /** Links that are cut, some of them under a byte, if they come so far. */
  readonly #doomed = new Set<SimulatedWire>();
  #happened = 0;

  constructor(network: Breakable, nodes: number, report: (violation: string) => void) {
    this.#network = network;
    this.#nodes = nodes;
    this.#report = report;
  }

  get happened(): number {
    return this.#happened + [...this.#doomed].filter(({ severed }) => severed).length;
  }

  /** From now on; times count from here, links from the first one that is opened. */
  inject(faults: readonly FaultPlan[]): void {
    const { clock, network } = this.#network.world;
    for (const fault of faults) {
      if (fault.kind !== 'cut-at-byte') clock.after(fault.atMs, () => this.#happen(fault));
    }
    let opened = 0;
    network.watch((wire) => {
      opened++;
      for (const fault of faults) {
        if (fault.kind !== 'cut-at-byte' || fault.wire !== opened) continue;
        this.#doomed.add(wire);
        wire.cut(fault.cut);
      }
    });
  }

  #happen(fault: Exclude<FaultPlan, { kind: 'cut-at-byte' }>): void {
    const { world } = this.#network;
    switch (fault.kind) {
      case 'cut':
        this.#cut(fault);
        return;
      case 'half-open':
        this.#loseAt(fault);
        return;
      case 'crash':
        if (!this.#network.runs(fault.node)) return;
        this.#happened++;
        this.#network.crash(fault.node, fault.toldMs);
        if (fault.downMs < Number.POSITIVE_INFINITY) world.clock.after(fault.downMs, () => this.#restart(fault.node));
        return;
      case 'partition': {
        const all = Array.from({ length: this.#nodes }, (_, number) => number);
        const others = all.filter((number) => !fault.nodes.includes(number));
        if (fault.nodes.length === 0 || others.length === 0) return;
        this.#happened++;
        const addresses = (numbers: readonly number[]): string[] => numbers.map((number) => this.#network.addressOf(number));
        world.network.partition(addresses(fault.nodes), addresses(others), fault.durationMs);
        return;
      }
      default:
        fault satisfies never;
    }
  }

  #restart(node: number): void {
    this.#network.restart(node).catch((error: unknown) => this.#report(`node ${node} did not start again: ${String(error)}`));
  }

  #cut({ which, after, cut }: Extract<FaultPlan, { kind: 'cut' }>): void {
    const wire = this.#wire(which);
    if (wire === undefined) return;
    this.#doomed.add(wire);
    wire.cut(after === undefined ? cut : { ...cut, at: { side: after.side, byte: wire.sentBytes(after.side) + after.bytes } });
  }

  #loseAt({ which, sides }: Extract<FaultPlan, { kind: 'half-open' }>): void {
    const wire = this.#wire(which);
    if (wire === undefined) return;
    this.#happened++;
    for (const side of sides) wire.lose(side);
  }

  #wire(which: number): SimulatedWire | undefined {
    const wires = this.#network.world.network.wires();
    return wires[Math.floor(which * wires.length)];
  }
}
