import type { Duplex } from 'node:stream';
import { parsePeerId } from '@matryoshka/node';
import { CliError } from '../../cli-error.ts';
import { openService, openThroughExit } from '../ask-far-end.ts';
import type { PeerLinks, Target } from '../peer-links.ts';
import { DATAGRAM_PROTOCOL, type HostPort } from '../protocol.ts';
import { formatHostPort, parseServiceName } from '../service-name.ts';
import type { Way } from '../way.ts';

/** Where a proxy leads. */
export interface ProxyRoute extends Way {
  /** The peer that ordinary hosts are reached through, as `connect` takes it; without it none are. */
  readonly exit?: string | undefined;
}

/** The service and peer that `<service>.<peer id>` names; undefined for any other host. */
export function serviceOf(host: string): { readonly service: string; readonly peer: string } | undefined {
  const [, service, peer] = /^([^.]+)\.(mtk1[^.]+)\.?$/i.exec(host) ?? [];
  if (service === undefined || peer === undefined) return undefined;
  try {
    return { service: parseServiceName(service.toLowerCase()), peer: parsePeerId(peer.toLowerCase()) };
  } catch (error) {
    throw new CliError(
      'socks.destination',
      `${host} is no service of a peer: ${(error as Error).message}`,
      'name it as <service>.<peer id>',
    );
  }
}

/** Finds the far end of what clients of a proxy ask for. Names are never resolved on this machine. */
export class Destinations {
  readonly #links: PeerLinks;
  readonly #route: ProxyRoute;

  constructor(links: PeerLinks, route: ProxyRoute) {
    this.#links = links;
    this.#route = route;
  }

  /**
   * A stream to a service or an ordinary host, connected.
   * @param isolation - clients with different ones share no connection
   * @throws CliError, MatryoshkaError why not
   */
  async connect(place: HostPort, isolation: string, signal: AbortSignal): Promise<Duplex> {
    const found = serviceOf(place.host);
    if (found !== undefined) return openService(this.#links, this.#target(found.peer, isolation), found.service, signal);
    return openThroughExit(this.#links, this.#exit(place, isolation), place, signal);
  }

  /** A stream that carries datagrams to ordinary hosts. */
  datagrams(isolation: string, signal: AbortSignal): Promise<Duplex> {
    return this.#links.open(this.#exit(undefined, isolation), DATAGRAM_PROTOCOL, signal);
  }

  #exit(place: HostPort | undefined, isolation: string): Target {
    const { exit } = this.#route;
    if (exit !== undefined) return this.#target(exit, isolation);
    const what = place === undefined ? 'UDP goes through an exit, and' : `${formatHostPort(place)} is no <service>.<peer id>, and`;
    throw new CliError('socks.no-exit', `${what} this proxy has no exit`, 'name a peer that is one with socks.exit or --exit');
  }

  #target(peer: string, isolation: string): Target {
    const { exit: _exit, ...way } = this.#route;
    return { peer, way, isolation };
  }
}
