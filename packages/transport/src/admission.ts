import { type Rate, TokenBucket } from './admission-rate.ts';
import { canonicalBytes } from './address-class.ts';
import { type NetworkBits, networkOf } from './address-network.ts';
import type { Clock } from './clock.ts';
import { IpFilter, IpNetworks } from './ip-filter.ts';

/** Who may connect to the listeners of a node, and how often. */
export interface AdmissionSettings {
  /** Networks that may; none: all. */
  readonly allow: readonly string[];
  /** Networks that may not, whatever allows them. */
  readonly deny: readonly string[];
  /** Networks that the limits per source network do not apply to. */
  readonly exempt: readonly string[];
  /** What counts as one source network. */
  readonly sourceBits: NetworkBits;
  /** Accepted connections that may be open at once. */
  readonly maxConnections: number;
  /** Those of them from one source network. */
  readonly maxConnectionsPerNetwork: number;
  /** How often one source network may connect. */
  readonly attempts: Rate;
}

/** Limits that honest neighbours never meet (docs/protocol.md §11). */
export const DEFAULT_ADMISSION_SETTINGS: AdmissionSettings = {
  allow: [],
  deny: [],
  exempt: [],
  sourceBits: { ipv4Bits: 24, ipv6Bits: 48 },
  maxConnections: 16_384,
  maxConnectionsPerNetwork: 1024,
  attempts: { perSecond: 10, burst: 100 },
};

/**
 * Why a connection was not read: `address` by the lists, `attempts` came too often, `connections` and
 * `network-connections` were open already; or was closed later: `unanswered` was the oldest of the fullest source.
 */
export type AdmissionRefusal = 'address' | 'attempts' | 'connections' | 'network-connections' | 'unanswered';

/** A connection that is not closed at once. */
export interface Arrival {
  /** Where it comes from: the key of limits per source network. */
  readonly network: string;
  /** Nothing of it is looked at, and it hears nothing until the handshake deadline, as whoever the handshake refuses. */
  readonly silent: boolean;
  /** It is closed. Idempotent. */
  left(): void;
}

/** What listeners ask before they read a single byte. One for all listeners of a node. */
export interface Admission {
  /** Asked for each connection that was accepted; undefined: it is closed at once, without a word. */
  admit(host: string): Arrival | undefined;
  /** One that was let in had to make room for a newer one, before it was answered. */
  evicted(): void;
}

/** The key of limits per source network: the network of an address, and of a host name, whose is not known, the name. */
export function sourceNetwork(host: string, bits: NetworkBits): string {
  return canonicalBytes(host) === undefined ? host : networkOf(host, bits);
}

/** Source networks whose attempts are remembered; above it the one that was heard of longest ago is forgotten. */
const MAX_NETWORKS = 4096;

/** An {@link Admission} by settings that may change while it is in use. */
export class AddressAdmission implements Admission {
  readonly #clock: Clock;
  readonly #refused: (reason: AdmissionRefusal) => void;
  #settings: AdmissionSettings;
  #filter: IpFilter;
  #exempt: IpNetworks;
  /** Open connections of each source network that has any. */
  readonly #open = new Map<string, number>();
  #openCount = 0;
  /** The one heard of last at the end. */
  readonly #attempts = new Map<string, TokenBucket>();

  /** @throws TypeError for lists that `update` does not take */
  constructor(clock: Clock, settings: AdmissionSettings, refused: (reason: AdmissionRefusal) => void = () => {}) {
    this.#clock = clock;
    this.#refused = refused;
    this.#settings = settings;
    this.#filter = new IpFilter(settings.allow, settings.deny);
    this.#exempt = new IpNetworks(settings.exempt);
  }

  /** Accepted connections that are open. */
  get connections(): number {
    return this.#openCount;
  }

  /** From now on other settings count; connections there are stay. @throws TypeError for a list that is wrong: then nothing changes */
  update(settings: AdmissionSettings): void {
    const filter = new IpFilter(settings.allow, settings.deny);
    this.#exempt = new IpNetworks(settings.exempt);
    this.#filter = filter;
    this.#settings = settings;
  }

  /** Whether the lists let an address in. */
  admits(host: string): boolean {
    return this.#filter.admits(host);
  }

  admit(host: string): Arrival | undefined {
    const { attempts, maxConnections, maxConnectionsPerNetwork, sourceBits } = this.#settings;
    const network = sourceNetwork(host, sourceBits);
    const exempt = this.#exempt.has(host);
    if (!exempt && this.#bucket(network).take(attempts, this.#clock.now()) > 0) return this.#refuse('attempts');
    if (!this.#filter.admits(host)) {
      // Takes nobody's place among the connections: listeners have a room for such, which is bounded by itself.
      this.#refused('address');
      return { network, silent: true, left() {} };
    }
    if (this.#openCount >= maxConnections) return this.#refuse('connections');
    const open = this.#open.get(network) ?? 0;
    if (!exempt && open >= maxConnectionsPerNetwork) return this.#refuse('network-connections');
    this.#open.set(network, open + 1);
    this.#openCount++;
    let inside = true;
    const left = (): void => {
      if (inside) this.#left(network);
      inside = false;
    };
    return { network, silent: false, left };
  }

  evicted(): void {
    this.#refused('unanswered');
  }

  #left(network: string): void {
    this.#openCount--;
    const open = (this.#open.get(network) as number) - 1;
    if (open === 0) this.#open.delete(network);
    else this.#open.set(network, open);
  }

  #refuse(reason: AdmissionRefusal): undefined {
    this.#refused(reason);
  }

  #bucket(network: string): TokenBucket {
    const bucket = this.#attempts.get(network) ?? new TokenBucket(this.#clock.now());
    this.#attempts.delete(network);
    this.#attempts.set(network, bucket);
    if (this.#attempts.size > MAX_NETWORKS) {
      const [oldest] = this.#attempts.keys();
      this.#attempts.delete(oldest as string);
    }
    return bucket;
  }
}

/** For listeners that belong to no node: lets everybody in. */
export const OPEN_ADMISSION: Admission = {
  admit: (host) => ({ network: sourceNetwork(host, DEFAULT_ADMISSION_SETTINGS.sourceBits), silent: false, left() {} }),
  evicted() {},
};
