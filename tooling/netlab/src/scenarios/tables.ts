import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NeighbourStatus } from '@matryoshka/node';
import { PORT } from '../cast/cast.ts';
import type { CliEvent, CliProcess } from '../cast/cli-process.ts';
import type { Scenario, Stage } from '../stage.ts';
import { until } from '../until.ts';

const FILE_LENGTH = 1_000_000;
/** Those that may be the second relay. */
const SECOND = ['C', 'F', 'G'] as const;

/** Relayed and telescoped, as a user does it: the command line on every host. */
export const tables: Scenario = {
  name: 'tables',
  title: 'R3, R12: a file over three hops that relays choose, then one telescoped over four, by the command line',
  drawing: `
internet
├─ west
│  ├─ A   66.171.45.90
│  ├─ B   201.1.157.11
│  └─ F   93.184.20.7
└─ east
   ├─ C   151.101.5.5
   ├─ D   180.30.30.20
   ├─ E   45.33.32.156
   └─ G   8.8.4.4
`,
  async play(stage) {
    const folder = await mkdtemp(join(tmpdir(), 'matryoshka-netlab-'));
    try {
      await play(stage, folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function play(stage: Stage, folder: string): Promise<void> {
  const addressOf = (name: string): string => stage.lab.host(name).addresses[0] as string;
  const nameOf = (endpoint: string): string =>
    stage.lab.hosts.find(({ addresses }) => addresses.includes(hostOf(endpoint)))?.name ?? endpoint;
  const start = (name: string, ...args: readonly string[]): CliProcess =>
    stage.cli(name, ...args, '--relay', '--listen', `${addressOf(name)}:${PORT}`);
  const nodes = new Map<string, CliProcess>();
  for (const name of ['B', ...SECOND]) nodes.set(name, start(name, 'up'));
  for (const name of ['D', 'E']) nodes.set(name, start(name, 'up', '--into', folder));
  const node = (name: string): CliProcess => nodes.get(name) as CliProcess;
  const ready = await Promise.all([...nodes].map(async ([name, each]) => [name, (await each.event('ready')).peerId] as const));
  const peerIds = new Map(ready);
  const peer = (name: string): string => `${peerIds.get(name)}@${addressOf(name)}:${PORT}`;
  for (const name of SECOND) node('B').tell(`connect ${peer(name)}`);
  await neighboursOf(node('B'), SECOND.length);

  const file = join(folder, 'film.mkv');
  const bytes = randomBytes(FILE_LENGTH);
  await writeFile(file, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const send = async (to: string, ...args: readonly string[]): Promise<readonly unknown[]> => {
    const sender = stage.cli('A', 'send', file, peer(to), '--peer', peer('B'), ...args);
    const sent = await sender.event('sent');
    const received = await node(to).event('received');
    await sender.ended;
    return [sent.sha256, received.sha256];
  };
  const neighbour = ({ peerId, endpoint }: NeighbourStatus): string =>
    `${peerId === undefined ? 'someone' : nameOfPeer(peerIds, peerId)} at ${nameOf(endpoint)}`;
  const relayed = async (
    name: string,
    from: number,
  ): Promise<{ previous: string; next: string; destination: string; hopsLeft: number }> => {
    const { link } = await node(name).event('relay-opened', from);
    const { previousHop, nextHop, destination, hopsLeft } = link;
    return { previous: neighbour(previousHop), next: nextHop ? neighbour(nextHop) : 'nobody', destination: nameOf(destination), hopsLeft };
  };

  stage.check('relayed over three hops: the file came to D as it was', await send('D', '--hops', '3'), [sha256, sha256]);
  const atB = await relayed('B', 0);
  const second = SECOND.find((name) => atB.next === `${name} at ${name}`);
  stage.check('B chose one of its neighbours', second !== undefined, true);
  if (second === undefined) return;
  stage.check('B knows A, that one, D, and how many hops are left', atB, {
    previous: 'a stranger at A',
    next: `${second} at ${second}`,
    destination: 'D',
    hopsLeft: 2,
  });
  stage.check(`${second} knows B and D`, await relayed(second, 0), { previous: 'B at B', next: 'D at D', destination: 'D', hopsLeft: 1 });
  stage.check(`D was asked by ${second}`, nameOf((await node('D').event('relay-accepted')).endpoint), second);
  stage.check(`and has no TCP connection but that of ${second}`, (await stage.lab.host('D').neighbours()).map(nameOf), [second]);

  const from = new Map([...nodes].map(([name, { events }]) => [name, events.length]));
  const path = ['B', 'C', 'D'] as const;
  const telescoped = await send('E', '--path', path.map(peer).join(','));
  stage.check('telescoped through B, C and D: the file came to E as it was', telescoped, [sha256, sha256]);
  for (const [index, name] of path.entries()) {
    const [before, next] = [['A', ...path][index] as string, [...path, 'E'][index + 1] as string];
    const known = await relayed(name, from.get(name) as number);
    stage.check(
      `${name} carries a link from ${before} to ${next}`,
      [known.previous.split(' at ')[1], known.next, known.destination],
      [before, `${next} at ${next}`, next],
    );
    const heard = node(name).events.slice(from.get(name));
    const others = ['A', ...path, 'E'].filter((other) => ![name, before, next].includes(other));
    stage.check(
      `${name} was told of none of ${others.join(', ')}`,
      others.filter((other) => mentions(heard, [addressOf(other), peerIds.get(other)])),
      [],
    );
  }
  stage.check('E has no TCP connection but that of D', (await stage.lab.host('E').neighbours()).map(nameOf), ['D']);
}

/** Waits until so many neighbours of a node have said that they relay. @throws Error */
async function neighboursOf(node: CliProcess, count: number): Promise<void> {
  const all = await until(async () => {
    const from = node.events.length;
    node.tell('status');
    const { status } = await node.event('status', from);
    return status.connections.filter(({ relaying }) => relaying === true).length === count;
  });
  if (!all) throw new Error(`${node.host.name} has not found its ${count} neighbours`);
}

function mentions(events: readonly CliEvent[], words: readonly (string | undefined)[]): boolean {
  const text = JSON.stringify(events);
  return words.some((word) => word !== undefined && text.includes(word));
}

function nameOfPeer(peerIds: ReadonlyMap<string, string>, peerId: string): string {
  return [...peerIds].find(([, each]) => each === peerId)?.[0] ?? 'a stranger';
}

/** Of `[peerId@]host:port[:relayPort]`. */
function hostOf(endpoint: string): string {
  return (endpoint.split('@').at(-1) as string).replace(/^\[(.*)\].*$/, '$1').replace(/^([^:]*):\d+(:\d+)?$/, '$1');
}
