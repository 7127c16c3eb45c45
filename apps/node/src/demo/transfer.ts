import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { NodeStatus } from '@matryoshka/node';
import { ORIGINATOR } from './cast.ts';
import { type Claim, relayedClaims, telescopedClaims } from './claims.ts';
import { DemoError } from './demo-error.ts';
import { type Knowledge, type KnowledgeOfAll, knowledgeOf } from './knowledge.ts';
import type { Network } from './network.ts';
import type { NodeProcess } from './node-process.ts';

/** How long a file may take, in milliseconds: it may be a large one. */
const TRANSFER_TIMEOUT_MS = 24 * 3_600_000;

/** One half of what `demo --json` prints. */
export interface TransferResult {
  readonly hops: number;
  readonly bytes: number;
  readonly sha256Match: boolean;
  /** From the offer of the file to its receipt. */
  readonly seconds: number;
  /** Names of the hops, the destination last. */
  readonly path: readonly string[];
  readonly knowledge: KnowledgeOfAll;
}

/** A transfer, and what is told about it besides. */
export interface Transfer {
  readonly result: TransferResult;
  readonly claims: readonly Claim[];
  /** What the destination sees as the source. */
  readonly source: string;
  /** Hex. */
  readonly sha256: string;
  readonly connectSeconds: number;
}

/** How A gets to its destination. */
export interface Way {
  readonly destination: string;
  /** Over so many hops that the relays choose, A being connected to `peers`. */
  readonly hops?: number;
  readonly peers?: readonly string[];
  /** Telescoped through these. */
  readonly through?: readonly string[];
}

/**
 * Starts A, has it send `file`, and collects from all nodes what they learnt meanwhile.
 * @throws DemoError where a node fails or says something that cannot be
 */
export async function runTransfer(network: Network, way: Way, file: string, identity: string): Promise<Transfer> {
  const { members } = network;
  const destination = network.member(way.destination);
  const before = new Map(members.map(({ role, process }) => [role.name, process.events.length]));
  const a = network.spawn(ORIGINATOR.name, sendArguments(network, way, file, identity));
  const { peerId } = await a.waitFor('ready');
  network.names.add(ORIGINATOR.name, peerId);

  const connected = await a.waitFor('connected', 0, 60_000);
  // The file is on its way now: this is what the nodes know while they carry it.
  const statuses = new Map(await Promise.all(members.map(async ({ role, process }) => [role.name, await process.status()] as const)));
  const sent = await a.waitFor('sent', 0, TRANSFER_TIMEOUT_MS);
  const received = await destination.process.waitFor('received', before.get(way.destination));
  const exitCode = await a.exited;
  if (exitCode !== 0) throw a.endedEarly();
  await linksClosed(members.map(({ role, process }) => ({ process, from: before.get(role.name) as number })));
  network.check();

  const knowledge: Record<string, Knowledge> = {
    [ORIGINATOR.name]: knowledgeOf(a, 0, statusOfSender(a), { originator: true, destination: false }),
  };
  for (const { role, process } of members) {
    const status = statuses.get(role.name);
    if (status === undefined) throw new DemoError(`${role.name} did not tell its status`);
    knowledge[role.name] = knowledgeOf(process, before.get(role.name) as number, status, {
      originator: false,
      destination: role.name === way.destination,
    });
  }
  const path =
    connected.hops === undefined ? chosenPath(knowledge, way.destination) : connected.hops.map((hop) => network.names.ofPeer(hop.peerId));
  const stored = await digestOf(received.file);
  await rm(received.file);
  const seen = knowledge[way.destination]?.sessions.find(({ role }) => role === 'responder');
  if (seen === undefined) throw new DemoError(`${way.destination} did not tell of a relayed connection to it`);
  return {
    result: {
      hops: path.length,
      bytes: received.size,
      sha256Match: sent.sha256 === received.sha256 && sent.sha256 === stored,
      seconds: sent.seconds,
      path,
      knowledge,
    },
    claims:
      way.through === undefined
        ? relayedClaims(knowledge, ORIGINATOR.name, path)
        : telescopedClaims(knowledge, ORIGINATOR.name, path, connected.connection.nesting),
    source: seen.remote,
    sha256: stored,
    connectSeconds: sent.connectSeconds,
  };
}

function sendArguments(
  network: Network,
  { destination, hops, peers = [], through }: Way,
  file: string,
  identity: string,
): readonly string[] {
  const addressOf = (name: string): string => network.member(name).address;
  const { host } = ORIGINATOR;
  return [
    'send',
    file,
    addressOf(destination),
    ...['--listen', `${host}:0`, '--dial-from', host, '--identity', identity],
    ...peers.flatMap((name) => ['--peer', addressOf(name)]),
    ...(hops === undefined ? [] : ['--hops', String(hops)]),
    ...(through === undefined ? [] : ['--path', through.map(addressOf).join(',')]),
  ];
}

/** A ends with its transfer and may not be there to be asked: what it told on the way. */
function statusOfSender(a: NodeProcess): Pick<NodeStatus, 'peerId' | 'listening' | 'connections'> {
  const [ready] = a.since(0, 'ready');
  if (ready === undefined) throw new DemoError('A did not tell who it is');
  return { peerId: ready.peerId, listening: ready.listening, connections: a.since(0, 'connection').map(({ connection }) => connection) };
}

/** The relays that forwarded, the one with most hops left first: it is how they tell the path that they have chosen. */
function chosenPath(knowledge: KnowledgeOfAll, destination: string): readonly string[] {
  const relays = Object.entries(knowledge).flatMap(([name, { forwards }]) => forwards.map(({ hopsLeft }) => ({ name, hopsLeft })));
  return [...relays.toSorted((x, y) => y.hopsLeft - x.hopsLeft).map(({ name }) => name), destination];
}

/** Every relay link that was opened is closed again when A has gone. */
async function linksClosed(watched: readonly { readonly process: NodeProcess; readonly from: number }[]): Promise<void> {
  await Promise.all(
    watched.map(({ process, from }) =>
      process.until(
        () => (process.since(from, 'relay-closed').length >= process.since(from, 'relay-opened').length ? true : undefined),
        'that its relay links were closed',
        10_000,
      ),
    ),
  );
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest('hex');
}
