import type { ConnectionStatus, RelayLinkStatus } from '@matryoshka/node';
import type { TimedEvent } from '../events.ts';
import { type Names, ORIGINATOR } from './cast.ts';

/** Tells in the seed's words what the nodes say they do. Everything in a sentence comes from an event of that node. */
export class Narrator {
  readonly #names: Names;
  readonly #say: (name: string, text: string) => void;
  /** Of a telescoped connection: the hops in order, the destination last; empty where relays choose. */
  #path: readonly string[] = [];
  #begun = false;
  /** Relays that wait for a connection to the next hop which their request names. */
  readonly #lastHops = new Map<string, 'looking' | 'connected'>();

  constructor(names: Names, say: (name: string, text: string) => void) {
    this.#names = names;
    this.#say = say;
  }

  /** Takes the next event, in the order of time. */
  tell(name: string, event: TimedEvent): void {
    if (!('event' in event)) return;
    switch (event.event) {
      case 'connecting':
        this.#begun = true;
        this.#connecting(name, event);
        break;
      case 'connection':
        if (this.#begun) this.#connection(name, event.connection);
        break;
      case 'relay-requested':
        this.#requested(name, event.link);
        break;
      case 'relay-accepted': {
        const asking = this.#names.ofNeighbour({ peerId: event.previousHop, endpoint: event.endpoint });
        this.#say(
          name,
          `Receives the request from ${asking}, and its configuration allows it: tells ${asking} that it accepts. Its answer to the handshake rides inside.`,
        );
        break;
      }
      case 'relay-opened':
        this.#opened(name, event.link);
        break;
      // Not steps of the table: they come before it, after it, or show as a bar.
      case 'ready':
      case 'suspended':
      case 'resumed':
      case 'disconnected':
      case 'path-changed':
      case 'registration':
      case 'descriptor-refused':
      case 'peer-failed':
      case 'relay-closed':
      case 'connected':
      case 'progress':
      case 'sent':
      case 'receiving':
      case 'received':
      case 'receive-failed':
      case 'forward-failed':
      case 'socks-failed':
      case 'reloaded':
      case 'stopping':
      case 'status':
        break;
      default:
        event satisfies never;
    }
  }

  #connecting(name: string, event: Extract<TimedEvent, { event: 'connecting' }>): void {
    const to = this.#names.ofEndpoint(event.destination);
    if (event.path === undefined) {
      const connected = event.peers.map((peer) => this.#names.ofPeer(peer)).join(', ');
      const hops = typeof event.hops === 'number' ? event.hops : 0;
      this.#say(
        name,
        `Wants to connect to ${to} via a ${hops} hop relay. It is connected to ${connected} and randomly selects one of them. Sends it a request to establish a relayed connection to ${to} over an additional ${hops - 1} hops. The first message of the handshake with ${to} rides inside the request.`,
      );
      return;
    }
    this.#path = [...event.path.map((peer) => this.#names.ofEndpoint(peer)), to];
    this.#say(
      name,
      `Wants to connect to ${to} via a ${this.#path.length} hop relay, telescoped through ${this.#path.slice(0, -1).join(', ')}. Connects to ${this.#path[0]} first.`,
    );
  }

  #connection(name: string, connection: ConnectionStatus): void {
    const { kind, role, peerId, remote } = connection;
    if (name === ORIGINATOR.name) {
      if (role === 'initiator') this.#extended(name, connection);
    } else if (kind === 'direct') {
      if (role !== 'initiator' || this.#lastHops.get(name) !== 'looking') return;
      this.#lastHops.set(name, 'connected');
      this.#say(name, `Establishes a connection directly to ${this.#names.ofNeighbour({ peerId, endpoint: remote })}.`);
    } else if (role === 'responder') {
      const who =
        peerId === undefined
          ? 'whoever is at the other end shows no identity'
          : `${this.#names.ofPeer(peerId)} is at the other end, and has proven it`;
      this.#say(name, `The handshake is complete: ${who}. The source endpoint it sees is ${remote}.`);
    }
  }

  /** A has a session to one more hop. */
  #extended(name: string, { kind, peerId, nesting }: ConnectionStatus): void {
    const hop = peerId === undefined ? 'the destination' : this.#names.ofPeer(peerId);
    const next = this.#path[this.#path.indexOf(hop) + 1];
    const request =
      next === undefined
        ? ''
        : ` Sends ${hop} a request to establish a relayed connection to ${next} over an additional hop, the first handshake message inside.`;
    if (kind === 'direct') this.#say(name, `Has a connection to ${hop}.${request}`);
    else
      this.#say(
        name,
        `Finds the answer of ${hop} to the handshake inside the acceptance and completes it: relayed connection ${nesting} stands, encrypted from end to end.${request}`,
      );
  }

  #requested(name: string, { previousHop, destination, hopsLeft }: RelayLinkStatus): void {
    const asking = this.#names.ofNeighbour(previousHop);
    const to = this.#names.ofEndpoint(destination);
    if (hopsLeft > 1) {
      this.#say(
        name,
        `Receives the request from ${asking} to reach ${to} over an additional ${hopsLeft} hops. Randomly picks one of its other connections to pass it on to.`,
      );
      return;
    }
    this.#lastHops.set(name, 'looking');
    this.#say(
      name,
      `Receives the request from ${asking} to reach ${to}, and notices that this is the final hop of it: needs a connection to ${to} itself.`,
    );
  }

  #opened(name: string, { previousHop, nextHop, hopsLeft }: RelayLinkStatus): void {
    const asking = this.#names.ofNeighbour(previousHop);
    const next = nextHop === undefined ? 'nobody' : this.#names.ofNeighbour(nextHop);
    const how =
      hopsLeft > 1
        ? `Had picked ${next}. `
        : this.#lastHops.get(name) === 'looking'
          ? `Was connected to ${next} already and used that connection. `
          : '';
    this.#lastHops.delete(name);
    this.#say(name, `${how}Tells ${asking} that the request was accepted, and forwards data between ${asking} and ${next} from now on.`);
  }
}
