import { ComposedPolicy, type PathPolicy } from '@matryoshka/circuit';
import type { RelayHandler, RelayMessage, Session } from '@matryoshka/peer';
import { RelayService } from '@matryoshka/relay';
import { parseEndpoint } from '@matryoshka/wire';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Connection } from '../src/index.ts';
import { networkOf } from './circuits.ts';
import { type TestNetwork, echo, intact } from './network.ts';

afterEach(() => vi.restoreAllMocks());

/** The first path is this one; the others are chosen, and are noted. */
class FirstOver implements PathPolicy {
  readonly paths: string[][] = [];
  readonly #names: readonly string[];
  readonly #chosen: PathPolicy = new ComposedPolicy();
  net: TestNetwork | undefined;

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  selectPath: PathPolicy['selectPath'] = (request, directory, random) => {
    const net = this.net as TestNetwork;
    const named = this.#names.map((name) => directory.find(({ peerId }) => peerId === net.node(name).peerId)!);
    const path = this.paths.length === 0 ? named : this.#chosen.selectPath(request, directory, random);
    this.paths.push(path.map(({ peerId }) => net.nameOf(peerId) ?? '?'));
    return path;
  };
}

/** The relay service of node `name` does something else with what it is handed; undefined: nothing at all. */
function hostile(net: TestNetwork, name: string, message: (message: RelayMessage) => RelayMessage | undefined): void {
  const original = RelayService.prototype.message;
  vi.spyOn(RelayService.prototype, 'message').mockImplementation(function (this: RelayService, session: Session, handed: RelayMessage) {
    const changed = net.nameOfService(this) === name ? message(handed) : handed;
    if (changed !== undefined) original.call(this, session, changed);
  });
}

async function over(path: readonly string[], seed: number): Promise<{ net: TestNetwork; policy: FirstOver }> {
  const policy = new FirstOver(path);
  const net = await networkOf(seed, 6, { circuits: { policy, ready: 0, parallelBuilds: 1 } });
  policy.net = net;
  return { net, policy };
}

const connect = (net: TestNetwork): Promise<Connection> => net.run(net.node('A').connect(net.node('Z').peerId, { circuit: { hops: 4 } }));
const relaysOf = (net: TestNetwork, connection: Connection): (string | undefined)[] =>
  connection.hops!.slice(0, -1).map(({ peerId }) => net.nameOf(peerId));

describe('hops that do not do what they should', () => {
  test.each<[string, readonly string[], (net: TestNetwork) => (message: RelayMessage) => RelayMessage | undefined]>([
    [
      'accepts and never extends, in the middle',
      ['R1', 'R2', 'R3'],
      () => (message) => (message.type === 'relay-create' && message.hopsLeft === 1 ? undefined : message),
    ],
    [
      'accepts and never extends, as the last',
      ['R1', 'R3', 'R2'],
      () => (message) => (message.type === 'relay-create' && message.hopsLeft === 1 ? undefined : message),
    ],
    [
      'extends elsewhere',
      ['R1', 'R2', 'R3'],
      (net) => (message) =>
        message.type === 'relay-create' && message.hopsLeft === 1
          ? { ...message, destination: { endpoint: parseEndpoint(`${net.host('R6')}:999`) } }
          : message,
    ],
    [
      'extends to itself',
      ['R1', 'R2', 'R3'],
      () => (message) => (message.type === 'relay-create' && message.hopsLeft === 1 ? { ...message, hopsLeft: 0 } : message),
    ],
  ])('R2 %s: another circuit is used, without it in that place', async (_what, path, change) => {
    const { net, policy } = await over(path, 40);
    hostile(net, 'R2', change(net));
    const connection = await connect(net);
    expect(policy.paths[0]).toEqual(path);
    expect(policy.paths.length).toBeGreaterThan(1);
    expect(intact(await net.run(echo(connection, 10_000)))).toBe(true);
    expect(relaysOf(net, connection)).not.toEqual(path);
    await net.run(connection.close());
    await net.close();
  });

  test('alters a byte of what it carries: found out behind it, and another circuit is used', async () => {
    const { net, policy } = await over(['R1', 'R2', 'R3'], 50);
    const original: RelayHandler['data'] = RelayService.prototype.data;
    let altered = 0;
    vi.spyOn(RelayService.prototype, 'data').mockImplementation(function (
      this: RelayService,
      session: Session,
      high: number,
      low: number,
      flags: number,
      bytes: Uint8Array,
    ) {
      const port = (BigInt(high) << 32n) | BigInt(low);
      if (net.nameOfService(this) === 'R2' && [...this.served].some(({ request }) => request.port === port)) {
        bytes[5] = (bytes[5] as number) ^ 1;
        altered++;
      }
      original.call(this, session, high, low, flags, bytes);
    });
    const connection = await connect(net);
    expect(altered).toBeGreaterThan(0);
    expect(policy.paths.length).toBeGreaterThan(1);
    if (!relaysOf(net, connection).includes('R2')) expect(intact(await net.run(echo(connection, 10_000)))).toBe(true);
    await net.close();
  });

  test('is somebody else than its descriptor says', async () => {
    const { net, policy } = await over(['R1', 'R2', 'R3'], 60);
    // Another node has its place.
    await net.run(net.node('R2').close());
    await net.start('X', net.host('R2'));
    const connection = await connect(net);
    expect(policy.paths.length).toBeGreaterThan(1);
    expect(relaysOf(net, connection)).not.toContain('R2');
    expect(intact(await net.run(echo(connection, 10_000)))).toBe(true);
    await net.close();
  });
});

test('a far end that takes its time is waited for, however fast circuits have been built', async () => {
  const net = await networkOf(80, 6, { circuits: { ready: 0 } });
  for (let i = 0; i < 6; i++) {
    const connection = await connect(net);
    await net.run(connection.close());
  }
  const original = RelayService.prototype.message;
  vi.spyOn(RelayService.prototype, 'message').mockImplementation(function (this: RelayService, session: Session, message: RelayMessage) {
    // It borrows what came.
    const kept = structuredClone(message);
    if (net.nameOfService(this) !== 'Z' || message.type !== 'relay-create') original.call(this, session, message);
    else net.world.clock.after(20_000, () => original.call(this, session, kept));
  });
  const connection = await connect(net);
  expect(intact(await net.run(echo(connection, 10_000)))).toBe(true);
  await net.close();
});

test('whoever failed is drawn less often by the circuits after it', async () => {
  const net = await networkOf(70, 8, { circuits: { ready: 0, parallelBuilds: 1, entryGuards: 0 } });
  let asked = 0;
  hostile(net, 'R2', (message) => {
    if (message.type !== 'relay-create' || message.hopsLeft !== 1) return message;
    asked++;
    return undefined;
  });
  const tried: number[] = [];
  for (let i = 0; i < 30; i++) {
    const connection = await connect(net);
    expect(relaysOf(net, connection)).not.toContain('R2');
    await net.run(connection.close());
    tried.push(asked);
  }
  // Three of eight relays are on a path: without a memory it would have been asked for more than ten of them.
  expect(asked).toBeGreaterThan(0);
  expect(asked).toBeLessThanOrEqual(6);
  await net.close();
});
