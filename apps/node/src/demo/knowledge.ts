import type { NodeStatus, RelayLinkStatus } from '@matryoshka/node';
import type { NodeProcess } from './node-process.ts';

/** Somebody as a node knows it. */
export interface KnownPeer {
  /** Null where it showed no identity. */
  readonly peerId: string | null;
  readonly endpoint: string;
}

/** A relay link that the node forwarded: all it was handed about it. */
export interface Forwarded {
  readonly relayPort: string;
  readonly previousHop: KnownPeer;
  readonly nextHop: KnownPeer | null;
  readonly hopsLeft: number;
  readonly destination: string;
  readonly bytesForward: number;
  readonly bytesBackward: number;
}

/** What a node told about itself and about what it was handed during one transfer. */
export interface Knowledge {
  readonly role: 'originator' | 'relay' | 'destination' | 'bystander';
  /** Its own. */
  readonly peerId: string;
  /** Its own. */
  readonly listening: readonly string[];
  /** Ordinary connections it had meanwhile, whether or not they had to do with the transfer. */
  readonly neighbours: readonly KnownPeer[];
  readonly forwards: readonly Forwarded[];
  /** Requests that ended here, as they were accepted: by whom they were passed on. */
  readonly accepted: readonly { readonly previousHop: KnownPeer; readonly relayPort: string }[];
  /** Sessions over relay links that end here. */
  readonly sessions: readonly {
    readonly role: 'initiator' | 'responder';
    readonly remote: string;
    readonly peerId: string | null;
    readonly authenticated: boolean;
  }[];
}

/** The knowledge of every node, by name. */
export type KnowledgeOfAll = Readonly<Record<string, Knowledge>>;

/** Collects what a node told from its event at `from` on; `status` is what it answered in the middle of the transfer. */
export function knowledgeOf(
  process: NodeProcess,
  from: number,
  status: Pick<NodeStatus, 'peerId' | 'listening' | 'connections'>,
  ends: { readonly originator: boolean; readonly destination: boolean },
): Knowledge {
  const closed = process.since(from, 'relay-closed').map(({ link }) => link);
  const forwards = process
    .since(from, 'relay-opened')
    .map(({ link }) => forwarded(link, closed.find(({ port }) => port === link.port) ?? link));
  return {
    role: ends.originator ? 'originator' : ends.destination ? 'destination' : forwards.length > 0 ? 'relay' : 'bystander',
    peerId: status.peerId,
    listening: status.listening,
    neighbours: status.connections
      .filter(({ kind }) => kind === 'direct')
      .map(({ peerId, remote }) => ({ peerId: peerId ?? null, endpoint: remote })),
    forwards,
    accepted: process
      .since(from, 'relay-accepted')
      .map(({ previousHop, endpoint, relayPort }) => ({ previousHop: { peerId: previousHop, endpoint }, relayPort })),
    sessions: process
      .since(from, 'connection')
      .filter(({ connection }) => connection.kind !== 'direct')
      .map(({ connection: { role, remote, peerId, authenticated } }) => ({ role, remote, peerId: peerId ?? null, authenticated })),
  };
}

function forwarded(
  { port, previousHop, nextHop, hopsLeft, destination }: RelayLinkStatus,
  { bytesForward, bytesBackward }: RelayLinkStatus,
): Forwarded {
  return {
    relayPort: port,
    previousHop: { peerId: previousHop.peerId ?? null, endpoint: previousHop.endpoint },
    nextHop: nextHop === undefined ? null : { peerId: nextHop.peerId ?? null, endpoint: nextHop.endpoint },
    hopsLeft,
    destination,
    bytesForward,
    bytesBackward,
  };
}

/** Whether somebody is named in something that a node told: by peer id or by address. */
export function names(told: unknown, somebody: Pick<Knowledge, 'peerId' | 'listening'>): boolean {
  const text = JSON.stringify(told);
  const hosts = somebody.listening.map((endpoint) => endpoint.slice(0, endpoint.lastIndexOf(':')));
  return text.includes(somebody.peerId) || hosts.some((host) => text.includes(`${host}:`));
}

/** What a node was handed with the requests of the transfer, without itself and its ordinary connections. */
export function handed({ forwards, accepted, sessions }: Knowledge): unknown {
  return { forwards, accepted, sessions };
}

/** All a node told but who it is itself. */
export function everything({ neighbours, forwards, accepted, sessions }: Knowledge): unknown {
  return { neighbours, forwards, accepted, sessions };
}
