import type { Session } from '@matryoshka/peer';
import type { ServedLink } from '@matryoshka/relay';
import { formatEndpoint } from '@matryoshka/wire';

/** What one node knows of who carries what. */
export interface NodeView {
  readonly sessions: ReadonlySet<Session>;
  readonly served: Iterable<ServedLink>;
}

/**
 * Which session is carried by which, over all nodes: what no node sees. A session is named by its link, so that both of
 * its ends have one name: a direct one by its two endpoints, a relayed one by the relay ports of its path.
 */
export class CarrierGraph {
  /** The ports of one path, whose hops may each have their own. */
  readonly #paths = new Map<bigint, bigint>();
  readonly #carriers = new Map<string, Set<string>>();

  constructor(views: readonly NodeView[]) {
    const links = views.flatMap(({ served }) => [...served].filter(({ downstream }) => downstream !== undefined));
    for (const { downstream, upstream } of links) this.#join(upstream.port, downstream?.port as bigint);
    for (const { downstream, upstream } of links) {
      const carried = this.#pathOf(upstream.port);
      this.#add(carried, this.#nameOf(upstream.session));
      this.#add(carried, this.#nameOf(downstream?.session as Session));
    }
    for (const { sessions } of views) {
      for (const session of sessions) {
        const [carrierId] = session.link.info.carriers;
        const carrier = [...sessions].find(({ id }) => id === carrierId);
        if (carrier !== undefined) this.#add(this.#nameOf(session), this.#nameOf(carrier));
      }
    }
  }

  /** Sessions that carry each other in a circle, for people; undefined where there is none. */
  cycle(): string | undefined {
    const done = new Set<string>();
    const path: string[] = [];
    const visit = (name: string): string | undefined => {
      const at = path.indexOf(name);
      if (at >= 0) return [...path.slice(at), name].join(' is carried by ');
      if (done.has(name)) return undefined;
      path.push(name);
      for (const carrier of this.#carriers.get(name) ?? []) {
        const found = visit(carrier);
        if (found !== undefined) return found;
      }
      path.pop();
      done.add(name);
      return undefined;
    };
    for (const name of this.#carriers.keys()) {
      const found = visit(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #add(carried: string, carrier: string): void {
    const carriers = this.#carriers.get(carried);
    if (carriers === undefined) this.#carriers.set(carried, new Set([carrier]));
    else carriers.add(carrier);
  }

  #nameOf({ link: { local, remote } }: Session): string {
    if (local.relayPort !== undefined) return this.#pathOf(local.relayPort);
    return [local, remote].map(formatEndpoint).toSorted().join(' - ');
  }

  #pathOf(port: bigint): string {
    return `port ${this.#root(port)}`;
  }

  #root(port: bigint): bigint {
    const parent = this.#paths.get(port);
    return parent === undefined ? port : this.#root(parent);
  }

  #join(a: bigint, b: bigint): void {
    const [one, other] = [this.#root(a), this.#root(b)];
    if (one !== other) this.#paths.set(one, other);
  }
}
