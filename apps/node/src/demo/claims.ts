import { type Knowledge, type KnowledgeOfAll, everything, handed, names } from './knowledge.ts';

/** Something the seed notes about who knows what, and whether what the nodes told bears it out. */
export interface Claim {
  readonly text: string;
  readonly holds: boolean;
}

function of(knowledge: KnowledgeOfAll, name: string): Knowledge {
  const found = knowledge[name];
  if (found === undefined) throw new RangeError(`nothing is known of ${name}`);
  return found;
}

/**
 * The seed's notes on its first table: relays choose, and all on the path know the destination.
 * @param path - names of the hops, the destination last
 */
export function relayedClaims(knowledge: KnowledgeOfAll, originator: string, path: readonly string[]): readonly Claim[] {
  const [first, last, end] = [path[0], path.at(-2), path.at(-1)] as [string, string, string];
  const [a, b, c, d] = [originator, first, last, end].map((name) => of(knowledge, name)) as [Knowledge, Knowledge, Knowledge, Knowledge];
  const source = d.sessions[0];
  const asked = b.forwards[0];
  const passedOn = c.forwards[0];
  return [
    {
      text: `${first} knows that ${originator} asked for ${end}, with ${asked?.hopsLeft} hops left. Nothing it was handed says whether ${originator} asks for itself or passes on what another asked.`,
      holds: b.forwards.length === 1 && names(asked?.previousHop, a) && names(asked?.destination, d) && asked?.hopsLeft === path.length - 1,
    },
    {
      text: `${last} knows only that ${first} asked to establish a relay to ${end}: nothing it was handed names ${originator}.`,
      holds: c.forwards.length === 1 && names(passedOn?.previousHop, b) && names(passedOn?.destination, d) && !names(handed(c), a),
    },
    {
      text: `${end} sees only ${last}: the source endpoint is ${source?.remote}. Nothing names ${first}, nor any address of ${originator}.`,
      holds:
        d.sessions.length === 1 && names(source?.remote, c) && !names(everything(d), b) && !names(everything(d), { ...a, peerId: '@' }),
    },
    {
      text: `${end} knows the peer id of ${originator}, because ${originator} has authenticated itself inside the relayed connection.`,
      holds: source?.authenticated === true && source.peerId === a.peerId,
    },
    {
      text: `The relay port ${asked?.relayPort} is the same on every hop, as in the seed.`,
      holds:
        new Set([...b.forwards, ...c.forwards, ...d.accepted].map(({ relayPort }) => relayPort)).size === 1 &&
        source?.remote.endsWith(`:${asked?.relayPort}`) === true,
    },
  ];
}

/**
 * The seed's notes on its second table: each hop is reached through the one before it.
 * @param path - names of the hops, the destination last
 */
export function telescopedClaims(
  knowledge: KnowledgeOfAll,
  originator: string,
  path: readonly string[],
  nesting: number,
): readonly Claim[] {
  const a = of(knowledge, originator);
  const claims = path.map((name, index) => hopClaim(knowledge, a, originator, path, name, index));
  const ports = path.slice(0, -1).map((name) => of(knowledge, name).forwards[0]?.relayPort);
  return [
    ...claims,
    {
      text: `${originator} seals what it sends to ${path.at(-1)} ${nesting + 1} times: one session to each hop, each inside the one before it.`,
      holds: nesting === path.length - 1,
    },
    {
      text: 'Each relayed connection has a relay port of its own: no number runs along the whole path.',
      holds: ports.every((port) => port !== undefined) && new Set(ports).size === ports.length,
    },
  ];
}

function hopClaim(
  knowledge: KnowledgeOfAll,
  a: Knowledge,
  originator: string,
  path: readonly string[],
  name: string,
  index: number,
): Claim {
  const told = of(knowledge, name);
  const after = path.slice(index + 2).map((other) => of(knowledge, other));
  const before = path.slice(0, Math.max(0, index - 1)).map((other) => of(knowledge, other));
  const previous = index === 0 ? a : of(knowledge, path[index - 1] as string);
  const link = told.forwards[0];
  const blind = [...before, ...after].every((other) => !names(handed(told), other));
  const knowsA = names(everything(told), a);
  const next = path[index + 1];
  if (next === undefined) {
    const session = told.sessions[0];
    return {
      text: `${name} knows only that somebody talks to it through ${path[index - 1]} (${session?.remote}). Less than in the seed: who it is was not shown, as telescoped connections are anonymous unless asked otherwise.`,
      holds:
        blind &&
        !knowsA &&
        told.sessions.length === 1 &&
        session?.peerId === null &&
        names(session.remote, previous) &&
        told.forwards.length === 0,
    };
  }
  const asksForNext = told.forwards.length === 1 && names(link?.destination, of(knowledge, next)) && names(link?.previousHop, previous);
  const end = path.at(-1) as string;
  const destination = next === end ? '' : ` It doesn't know the final destination: nothing it told names ${end}.`;
  const noEnd = next === end || !names(everything(told), of(knowledge, end));
  if (index === 0) {
    return {
      text: `${name} knows only that ${originator} is communicating with ${next}.${destination}`,
      holds: asksForNext && blind && knowsA && noEnd,
    };
  }
  return {
    text: `${name} knows only that someone behind ${path[index - 1]} is communicating with ${next}.${destination} Less than in the seed: hops are anonymous, so nothing it told names ${originator}.`,
    holds: asksForNext && blind && !knowsA && noEnd && link?.previousHop.peerId === null,
  };
}
