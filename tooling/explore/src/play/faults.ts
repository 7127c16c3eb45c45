import type { SimulatedWire } from '@matryoshka/simulation';
import type { FaultPlan } from './fault-plan.ts';
import { type Network, addressOf } from './network.ts';

/** Lets the faults of a plan happen, and counts those that did: some find nothing to break. */
export class Faults {
  readonly #network: Network;
  readonly #nodes: number;
  readonly #report: (violation: string) => void;
  /** Links that are cut, some of them under a byte, if they come so far. */
  readonly #doomed = new Set<SimulatedWire>();
  #happened = 0;

  constructor(network: Network, nodes: number, report: (violation: string) => void) {
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
        world.clock.after(fault.downMs, () => this.#restart(fault.node));
        return;
      case 'partition': {
        const all = Array.from({ length: this.#nodes }, (_, number) => number);
        const others = all.filter((number) => !fault.nodes.includes(number));
        if (fault.nodes.length === 0 || others.length === 0) return;
        this.#happened++;
        world.network.partition(fault.nodes.map(addressOf), others.map(addressOf), fault.durationMs);
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
