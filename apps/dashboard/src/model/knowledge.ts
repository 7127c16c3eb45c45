import type { ConnectionStatus, RelayLinkStatus } from '@matryoshka/node';

// What each node on a path knows: docs/protocol.md §8.5, in words.

/** One session of the doll, the outermost first. */
export interface Layer {
  /** Its two ends. */
  readonly between: readonly [string, string];
  /** Whether it is one session for each link on the way, all alike. */
  readonly everyLink?: true;
}

/** Somebody on a path, and what is known there. */
export interface Station {
  readonly name: string;
  /** Full id or endpoint, where it is known. */
  readonly detail: string | undefined;
  /** Layers that were taken off before the bytes come here. */
  readonly opened: number;
  /** Layers that are taken off here. */
  readonly opens: number;
  readonly knows: readonly string[];
  readonly hidden: readonly string[];
}

/** A path as the page draws it: the doll, and everybody on it, this node first. */
export interface Anatomy {
  readonly layers: readonly Layer[];
  readonly stations: readonly Station[];
}

/** Puts names for peer ids. */
export type Naming = (peerId: string) => string;

const YOU = 'you';
const SEEN = 'sizes and times of the records that it passes on, and the relay port they come with';
const HANDSHAKE = 'version, suite and pattern of the handshake that it passes on';

/** @param connections - all of the node: among them are those that this one runs over */
export function anatomyOfConnection(connection: ConnectionStatus, naming: Naming, connections: readonly ConnectionStatus[]): Anatomy {
  const carrier = (id: string | undefined): ConnectionStatus | undefined => connections.find((each) => each.id === id);
  const { hops, kind, role, carriers } = connection;
  if (hops !== undefined && hops.length > 0) return telescoped(connection, hops, naming, carrier(carriers.at(-1)));
  if (kind === 'direct') return direct(connection, naming);
  const gateway = carrier(carriers[0]);
  return role === 'initiator' ? relayed(connection, naming, gateway) : accepted(connection, naming, gateway?.peerId);
}

/** Who a connection of this node tells its other end that it is. */
function yourself(connection: ConnectionStatus | undefined): string {
  return connection?.anonymous === true ? 'you, your address' : 'you, your address and your identity';
}

function direct({ peerId, remote, anonymous }: ConnectionStatus, naming: Naming): Anatomy {
  const name = peerId === undefined ? 'someone' : naming(peerId);
  return {
    layers: [{ between: [YOU, name] }],
    stations: [
      you(1, ['everything that is said'], [...(peerId === undefined ? [`who ${name} is: it has shown no identity`] : [])]),
      {
        name,
        detail: peerId ?? remote,
        opened: 0,
        opens: 1,
        knows: ['your address', ...(anonymous ? [] : ['your identity']), 'everything that is said'],
        hidden: anonymous ? ['your identity'] : [],
      },
    ],
  };
}

/** Each hop was chosen here, and knows its neighbours alone. */
function telescoped(
  { anonymous }: ConnectionStatus,
  hops: NonNullable<ConnectionStatus['hops']>,
  naming: Naming,
  first: ConnectionStatus | undefined,
): Anatomy {
  const names = hops.map(({ peerId }) => naming(peerId));
  const last = hops.length - 1;
  const stations = hops.map(({ peerId }, index): Station => {
    const previous = names[index - 1];
    const next = names[index + 1];
    return {
      name: names[index] as string,
      detail: peerId,
      opened: index,
      opens: 1,
      knows: [
        previous === undefined ? `previous hop: ${yourself(first)}` : `previous hop: ${previous}, its address and identity`,
        ...(index > 0 ? ['that somebody behind it asked'] : []),
        ...(next === undefined
          ? [...(anonymous ? [] : ['your identity']), 'hops left: 0', 'everything that you say to it']
          : [
              `next hop: ${next}, its address and identity`,
              index === 0 ? 'hops left: 1' : 'hops left: 0 for itself, 1 for the next hop',
              HANDSHAKE,
              SEEN,
            ]),
      ],
      hidden: [
        ...(index > 0 ? ['your address', ...(next === undefined && !anonymous ? [] : ['your identity'])] : []),
        ...(index < last - 1 ? ['the far end'] : []),
        ...(hops.length > 2 ? ['how long the path is', 'the other hops'] : []),
        ...(next === undefined ? [] : ['what is said']),
      ],
    };
  });
  return {
    layers: names.map((name) => ({ between: [YOU, name] })),
    stations: [you(hops.length, ['every hop: you have chosen them', 'everything that is said'], []), ...stations],
  };
}

/** Relays choose the path. Of them only the first one is known here. */
function relayed(
  { peerId, remote, anonymous, authenticated }: ConnectionStatus,
  naming: Naming,
  gateway: ConnectionStatus | undefined,
): Anatomy {
  const end = peerId === undefined ? remote : naming(peerId);
  const first = gateway?.peerId === undefined ? 'the first relay' : naming(gateway.peerId);
  const inner = ['your conversation: the inner layer stays closed'];
  return {
    layers: [{ between: [YOU, first], everyLink: true }, { between: [YOU, end] }],
    stations: [
      you(
        2,
        [`the first relay: ${first}`, `the destination: ${end}`, 'everything that is said'],
        ['the relays behind the first one', ...(authenticated ? [] : [`whether ${end} is who it should be`])],
      ),
      {
        name: first,
        detail: gateway?.peerId,
        opened: 0,
        opens: 1,
        knows: [
          `previous hop: ${yourself(gateway)}`,
          'next hop: the relay that it has chosen',
          `destination: ${end}`,
          'hops left',
          HANDSHAKE,
          SEEN,
        ],
        hidden: ['whether you ask for yourself or for somebody behind you', ...inner],
      },
      {
        name: 'relays between',
        detail: undefined,
        opened: 0,
        opens: 1,
        knows: ['previous hop', 'next hop', `destination: ${end}`, 'hops left', HANDSHAKE, SEEN],
        hidden: ['your address', 'your identity', ...inner],
      },
      {
        name: end,
        detail: peerId ?? remote,
        opened: 1,
        opens: 1,
        knows: [
          'previous hop: the last relay, its address and identity',
          ...(anonymous ? [] : ['your identity']),
          'hops left: 0',
          'everything that is said',
        ],
        hidden: ['your address', ...(anonymous ? ['your identity'] : []), 'the relays before the last one'],
      },
    ],
  };
}

/** Somebody has come over a relay link to this node. */
function accepted({ peerId, remote }: ConnectionStatus, naming: Naming, gateway: string | undefined): Anatomy {
  const last = gateway === undefined ? 'the last relay' : naming(gateway);
  const who = peerId === undefined ? `someone behind ${last}` : naming(peerId);
  return {
    layers: [{ between: [last, YOU], everyLink: true }, { between: [who, YOU] }],
    stations: [
      {
        name: YOU,
        detail: undefined,
        opened: 0,
        opens: 2,
        knows: [
          `previous hop: ${last}, at ${remote}`,
          ...(peerId === undefined ? [] : [`who it is: ${who}`]),
          'hops left: 0',
          'everything that is said',
        ],
        hidden: [
          `the address of ${who}`,
          ...(peerId === undefined ? ['who it is'] : []),
          `whether ${last} asks for itself`,
          'the relays before the last one',
        ],
      },
      {
        name: last,
        detail: gateway,
        opened: 0,
        opens: 1,
        knows: ['next hop: you, your address and your identity', 'its own previous hop', 'hops left: 1', HANDSHAKE, SEEN],
        hidden: ['what is said: the inner layer stays closed'],
      },
    ],
  };
}

/** A link that this node forwards for others. Everything it knows is here. */
export function anatomyOfRelayLink(link: RelayLinkStatus, naming: Naming): Anatomy {
  const { previousHop, nextHop, destination, hopsLeft, port, nextPort } = link;
  const named = (neighbour: RelayLinkStatus['previousHop']): string =>
    neighbour.peerId === undefined ? `someone at ${neighbour.endpoint}` : naming(neighbour.peerId);
  const previous = named(previousHop);
  const next = nextHop === undefined ? 'not chosen yet' : named(nextHop);
  const end = 'its two ends';
  return {
    layers: [{ between: [previous, YOU] }, { between: ['one end', 'its other end'] }],
    stations: [
      {
        name: YOU,
        detail: undefined,
        opened: 0,
        opens: 1,
        knows: [
          `previous hop: ${previous}, ${previousHop.endpoint}`,
          `next hop: ${next}${nextHop === undefined ? '' : `, ${nextHop.endpoint}`}`,
          `destination: ${destination}`,
          `hops left: ${hopsLeft}`,
          `relay port ${port}${nextPort === undefined || nextPort === port ? '' : `, ${nextPort} on the other side`}`,
          HANDSHAKE,
          'sizes and times of the records that it passes on',
        ],
        hidden: [
          `whether ${previous} asks for itself`,
          ...(hopsLeft <= 1 ? ['whether the path ends at the destination'] : []),
          `what is said: the inner layer is sealed for ${end}`,
        ],
      },
    ],
  };
}

function you(opens: number, knows: readonly string[], hidden: readonly string[]): Station {
  return { name: YOU, detail: undefined, opened: 0, opens, knows, hidden };
}
