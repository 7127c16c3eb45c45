import type { Connection, MatryoshkaNode, Stream } from '@matryoshka/node';
import { type HostPort, SERVICE_PROTOCOL, takeText } from './protocol.ts';
import { Refusal, dialTarget, requestOf, serveStream } from './serve-stream.ts';

/** Everybody who may connect to this node. */
export const ANYBODY = '*';

/** A TCP service that this node offers to peers. */
export interface Service {
  readonly name: string;
  readonly target: HostPort;
  /** Peer ids, or {@link ANYBODY}. */
  readonly allow: readonly string[];
}

/** What is known of a service that is offered. */
export interface ServiceCounts {
  /** Streams open now. */
  open: number;
  /** Streams that were connected. */
  connected: number;
  /** Streams of peers that may not. */
  refused: number;
  /** Streams that the service itself did not take. */
  failed: number;
}

/** Offers TCP services to chosen peers (apps/node/README.md, Services). */
export class ServiceHost {
  readonly #services = new Map<string, { service: Service; readonly counts: ServiceCounts }>();
  readonly #stopServing: () => void;
  readonly #closing = new AbortController();

  constructor(node: MatryoshkaNode) {
    this.#stopServing = node.serve(SERVICE_PROTOCOL, (stream, connection) => this.#serve(stream, connection));
  }

  /** Offers these and no others; streams that are open go on. */
  offer(services: readonly Service[]): void {
    const names = new Set(services.map(({ name }) => name));
    for (const name of this.#services.keys()) if (!names.has(name)) this.#services.delete(name);
    for (const service of services) {
      const known = this.#services.get(service.name);
      if (known === undefined) this.#services.set(service.name, { service, counts: { open: 0, connected: 0, refused: 0, failed: 0 } });
      else known.service = service;
    }
  }

  get offered(): readonly { readonly service: Service; readonly counts: Readonly<ServiceCounts> }[] {
    return [...this.#services.values()];
  }

  /** Takes no more streams, and ends those that are open. */
  close(): void {
    this.#stopServing();
    this.#closing.abort();
  }

  #serve(stream: Stream, connection: Connection): Promise<void> {
    const { signal } = this.#closing;
    let counts: ServiceCounts | undefined;
    return serveStream(stream, signal, async (far) => {
      const offered = this.#services.get(await requestOf(far, takeText));
      if (offered === undefined) throw new Refusal('stream.unknown-protocol');
      const { service } = offered;
      if (!allows(service, connection)) {
        offered.counts.refused++;
        throw new Refusal('session.refused');
      }
      try {
        const socket = await dialTarget(service.target.host, service.target.port, signal);
        ({ counts } = offered);
        counts.connected++;
        counts.open++;
        return socket;
      } catch (error) {
        offered.counts.failed++;
        throw error;
      }
    }).finally(() => {
      if (counts !== undefined) counts.open--;
    });
  }
}

function allows({ allow }: Service, { authenticated, peerId }: Connection): boolean {
  return allow.includes(ANYBODY) || (authenticated && peerId !== undefined && allow.includes(peerId));
}
