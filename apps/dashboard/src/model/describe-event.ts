import type { ConnectionStatus, RegistrationStatus, RelayLinkStatus } from '@matryoshka/node';
import type { NodeEvent } from '../api/types.ts';
import type { Naming } from './knowledge.ts';

/** What kind of thing has happened; events are told apart by it. */
export const TOPICS = ['connections', 'paths', 'relaying', 'files', 'node'] as const;
export type Topic = (typeof TOPICS)[number];

/** An event as people read it. */
export interface Description {
  readonly topic: Topic;
  readonly weight: 'plain' | 'good' | 'bad';
  readonly text: string;
}

/** The parts of events that are told. */
interface Parts {
  readonly connection?: ConnectionStatus;
  readonly link?: RelayLinkStatus;
  readonly registration?: RegistrationStatus;
  readonly reason?: { readonly code: string };
  readonly error?: { readonly code: string; readonly message: string };
  readonly gateway?: string | null;
  readonly peer?: string;
  readonly peerId?: string;
  readonly previousHop?: string | null;
  readonly name?: string;
  readonly service?: string;
  readonly changed?: readonly string[];
  readonly retryInMs?: number;
}

/** Tells an event in one sentence. Events of a later version are told by their name. */
export function describeEvent(event: NodeEvent, naming: Naming): Description {
  const parts = event as Parts;
  const who = parts.connection === undefined ? 'someone' : nameOf(parts.connection, naming);
  const way = parts.connection?.kind ?? '';
  const why = parts.reason === undefined ? '' : ` (${parts.reason.code})`;
  const peer = (id: string | null | undefined): string => (typeof id === 'string' ? naming(id) : 'someone');
  switch (event.event) {
    case 'ready':
      return { topic: 'node', weight: 'good', text: 'The node is up' };
    case 'stopping':
      return { topic: 'node', weight: 'plain', text: 'The node is about to stop' };
    case 'reloaded':
      return { topic: 'node', weight: 'plain', text: `Configuration read again: ${listed(parts.changed)}` };
    case 'connection':
      return {
        topic: 'connections',
        weight: 'good',
        text: `Connected ${parts.connection?.role === 'responder' ? 'by' : 'to'} ${who}, ${way}`,
      };
    case 'disconnected':
      return { topic: 'connections', weight: 'plain', text: `Connection with ${who} is over${why}` };
    case 'suspended':
      return { topic: 'paths', weight: 'bad', text: `Connection with ${who} was interrupted${why}` };
    case 'resumed':
      return { topic: 'paths', weight: 'good', text: `Connection with ${who} goes on, nothing lost` };
    case 'path-changed':
      return { topic: 'paths', weight: 'good', text: `Connection with ${who} goes another way, by ${peer(parts.gateway)}${why}` };
    case 'peer-failed':
      return {
        topic: 'connections',
        weight: 'bad',
        text: `Cannot connect to ${parts.peer ?? 'a peer'} (${parts.error?.code ?? 'unknown'})`,
      };
    case 'registration':
      return {
        topic: 'relaying',
        weight: 'plain',
        text: `Registration with ${peer(parts.registration?.relay)}: ${parts.registration?.state ?? 'unknown'}`,
      };
    case 'descriptor-refused':
      return { topic: 'relaying', weight: 'bad', text: `${peer(parts.peerId)} passed on a descriptor that was refused${why}` };
    case 'relay-requested':
    case 'relay-opened':
    case 'relay-closed':
      return relayed(event.event, parts.link, naming);
    case 'relay-accepted':
      return { topic: 'relaying', weight: 'plain', text: `A relay link that ends here was accepted, from ${peer(parts.previousHop)}` };
    case 'receiving':
      return { topic: 'files', weight: 'plain', text: `Receiving “${parts.name ?? ''}” from ${who}` };
    case 'received':
      return { topic: 'files', weight: 'good', text: `Received “${parts.name ?? ''}” from ${who}` };
    case 'receive-failed':
      return {
        topic: 'files',
        weight: 'bad',
        text: `Not received: “${parts.name ?? 'a file'}” from ${who} (${parts.error?.code ?? 'unknown'})`,
      };
    case 'forward-failed':
      return {
        topic: 'node',
        weight: 'bad',
        text: `Forward to ${parts.service ?? 'a service'} was used in vain (${parts.error?.code ?? ''})`,
      };
    case 'socks-failed':
      return { topic: 'node', weight: 'bad', text: `A client of the proxy was not served (${parts.error?.code ?? ''})` };
    default:
      return { topic: 'node', weight: 'plain', text: event.event };
  }
}

function relayed(event: string, link: RelayLinkStatus | undefined, naming: Naming): Description {
  const neighbour = (side: RelayLinkStatus['nextHop']): string =>
    side === undefined ? '…' : side.peerId === undefined ? 'someone' : naming(side.peerId);
  const between = `${neighbour(link?.previousHop)} → ${neighbour(link?.nextHop)}`;
  const verbs: Readonly<Record<string, string>> = { 'relay-requested': 'asked for', 'relay-opened': 'open', 'relay-closed': 'over' };
  return { topic: 'relaying', weight: event === 'relay-opened' ? 'good' : 'plain', text: `Relay link ${between} ${verbs[event] ?? ''}` };
}

function nameOf({ peerId, remote }: ConnectionStatus, naming: Naming): string {
  return peerId === undefined ? `someone at ${remote}` : naming(peerId);
}

function listed(keys: readonly string[] | undefined): string {
  return keys === undefined || keys.length === 0 ? 'nothing has changed' : keys.join(', ');
}
