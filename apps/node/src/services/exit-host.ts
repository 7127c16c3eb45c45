import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Connection, MatryoshkaNode, Stream } from '@matryoshka/node';
import { ExitDatagrams } from './exit-datagrams.ts';
import { ExitRules } from './exit-rules.ts';
import { DATAGRAM_PROTOCOL, EXIT_PROTOCOL, takeHostPort } from './protocol.ts';
import { Refusal, dialTarget, requestOf, serveStream } from './serve-stream.ts';
import { ANYBODY } from './service-host.ts';

/** What an exit lets through, and for whom. */
export interface ExitSettings {
  /** Rules, see {@link ExitRules}; none: this node is no exit. */
  readonly allow: readonly string[];
  /** Peer ids, or {@link ANYBODY}. */
  readonly peers: readonly string[];
}

/**
 * Connects others to ordinary hosts, as far as its rules allow: TCP, and UDP as datagrams on a stream. Names are resolved
 * here, and the rules hold for the address that is connected to. Nothing is an exit by default.
 */
export class ExitHost {
  readonly #stops: readonly (() => void)[];
  readonly #closing = new AbortController();
  readonly #rules: ExitRules;
  readonly #peers: ReadonlySet<string>;
  #open = 0;
  #refused = 0;

  /** @throws TypeError for a rule that is none */
  constructor(node: MatryoshkaNode, { allow, peers }: ExitSettings) {
    this.#rules = new ExitRules(allow);
    this.#peers = new Set(peers);
    this.#stops = [
      node.serve(EXIT_PROTOCOL, (stream, connection) => this.#counted(this.#serve(stream, connection))),
      node.serve(DATAGRAM_PROTOCOL, (stream, connection) => this.#counted(this.#serveDatagrams(stream, connection))),
    ];
  }

  /** Streams that are open, and hosts and peers that were refused. */
  get counts(): { readonly open: number; readonly refused: number } {
    return { open: this.#open, refused: this.#refused };
  }

  /** Takes no more streams, and ends those that are open. */
  close(): void {
    for (const stop of this.#stops) stop();
    this.#closing.abort();
  }

  /**
   * The address that `host` leads to, if it is allowed on `port`.
   * @throws Refusal `relay.destination-forbidden`, `transport.dial-failed`
   */
  readonly resolve = async (host: string, port: number): Promise<string> => {
    if (port === 0 || !this.#rules.mayAllow(host, port)) throw this.#forbidden();
    const addresses = isIP(host) === 0 ? await addressesOf(host) : [host];
    const allowed = addresses.find((address) => this.#rules.allows(host, address, port));
    if (allowed === undefined) throw this.#forbidden();
    return allowed;
  };

  async #counted(serving: Promise<void>): Promise<void> {
    this.#open++;
    await serving;
    this.#open--;
  }

  #serve(stream: Stream, connection: Connection): Promise<void> {
    const { signal } = this.#closing;
    return serveStream(stream, signal, async (far) => {
      this.#welcome(connection);
      const { host, port } = await requestOf(far, takeHostPort);
      return dialTarget(await this.resolve(host, port), port, signal);
    });
  }

  async #serveDatagrams(stream: Stream, connection: Connection): Promise<void> {
    try {
      this.#welcome(connection);
    } catch (error) {
      stream.reset((error as Refusal).code);
      return;
    }
    await new ExitDatagrams(stream, this.resolve, this.#closing.signal).done;
  }

  #welcome({ authenticated, peerId }: Connection): void {
    if (this.#peers.has(ANYBODY) || (authenticated && peerId !== undefined && this.#peers.has(peerId))) return;
    this.#refused++;
    throw new Refusal('session.refused');
  }

  #forbidden(): Refusal {
    this.#refused++;
    return new Refusal('relay.destination-forbidden');
  }
}

async function addressesOf(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    throw new Refusal('transport.dial-failed', (error as Error).message);
  }
}
