import { descriptorNetworkId, networkKeyPsk, signDescriptor } from '@matryoshka/session';
import { simulatedProvider } from '@matryoshka/simulation';
import { describe, expect, test } from 'vitest';
import type { MatryoshkaNode, Stream } from '../src/index.ts';
import { TestNetwork } from './network.ts';

const provider = simulatedProvider();
const PROTOCOL = '/matryoshka/descriptors/1';

/** Who is in a node's directory, by name. */
function known(net: TestNetwork, name: string): string[] {
  return net
    .node(name)
    .directory.list()
    .map(({ peerId }) => net.nameOf(peerId) ?? '?')
    .toSorted();
}

/** Nodes that trust each other as named: `B: ['A', 'C']`. They are connected by whoever comes first. */
async function trusting(net: TestNetwork, trust: Readonly<Record<string, readonly string[]>>): Promise<void> {
  const names = Object.keys(trust);
  const identities = new Map(names.map((name, i) => [name, new Uint8Array(32).fill(i + 1)]));
  // Ids come from seeds, so that they are known before the nodes are there.
  const { identityFromSeed } = await import('../src/index.ts');
  const idOf = (name: string): string => identityFromSeed(provider, identities.get(name) as Uint8Array).peerId;
  for (const [i, name] of names.entries()) {
    await net.start(name, `10.${i + 1}.0.1`, {
      identity: identities.get(name) as Uint8Array,
      directory: { exchangeWith: (trust[name] as string[]).map(idOf), operator: name },
    });
  }
}

describe('descriptors of peers (docs/protocol.md §9.1, §9.2)', () => {
  test('go from trusted peer to trusted peer, the newest of each', async () => {
    const net = new TestNetwork(1, { provider });
    await trusting(net, { A: ['B'], B: ['A', 'C'], C: ['B'] });
    expect(known(net, 'A')).toEqual(['A']);
    await net.connect('A', 'B');
    await net.connect('B', 'C');
    await net.settle(60_000);
    expect([known(net, 'A'), known(net, 'B'), known(net, 'C')]).toEqual([
      ['A', 'B', 'C'],
      ['A', 'B', 'C'],
      ['A', 'B', 'C'],
    ]);
    const c = net.node('A').directory.get(net.node('C').peerId);
    expect(c?.body).toMatchObject({
      relays: true,
      operator: 'C',
      software: 'matryoshka 0.0.0',
      staticKey: net.node('C').staticKey,
      endpoints: [{ transport: 'tcp', host: net.host('C'), port: 999 }],
    });
    net.node('C').updateRelayLimits({ link: { maxBytes: 1_000_000 } });
    await net.settle(60_000);
    expect(net.node('A').directory.get(net.node('C').peerId)?.body.limits).toEqual({ bytesPerSecond: 0, maxBytes: 1_000_000, maxAgeMs: 0 });
    net.node('C').setRelayEnabled(false);
    await net.settle(60_000);
    expect(net.node('A').directory.get(net.node('C').peerId)?.body.relays).toBe(false);
    await net.close();
  });

  test('whoever is not trusted gets none, and can give none', async () => {
    const net = new TestNetwork(2, { provider });
    await trusting(net, { A: ['B'], B: [], C: [] });
    await net.connect('A', 'B');
    await net.connect('C', 'A');
    const asked = await net.run(
      net
        .node('C')
        .connections[0]!.openStream(PROTOCOL)
        .catch((error: unknown) => error),
    );
    await net.settle(60_000);
    expect([known(net, 'A'), known(net, 'B'), known(net, 'C')]).toEqual([['A'], ['B'], ['C']]);
    expect((asked as Stream).closed).toBe(true);
    await net.close();
  });

  test('a node that stops is forgotten when its descriptor expires; one that lives on renews it', async () => {
    const net = new TestNetwork(3, { provider });
    await trusting(net, { A: ['B'], B: ['A'] });
    await net.connect('A', 'B');
    await net.settle(1_000);
    expect(known(net, 'A')).toEqual(['A', 'B']);
    await net.settle(13 * 3_600_000);
    expect(net.node('A').directory.get(net.node('B').peerId)?.body.expiresUnixMs).toBeGreaterThan(
      net.world.clock.unixMs() + 20 * 3_600_000,
    );
    await net.run(net.node('B').close());
    await net.settle(25 * 3_600_000);
    expect(known(net, 'A')).toEqual(['A']);
    await net.close();
  });

  /** What B says to A instead of a list, and what A makes of it. */
  async function said(seed: number, bytes: (net: TestNetwork) => Uint8Array): Promise<{ refused: string[]; known: string[] }> {
    const net = new TestNetwork(seed, { provider });
    await trusting(net, { A: ['B'], B: [] });
    const refused: string[] = [];
    net.node('A').on('descriptor-refused', ({ peerId, reason }) => refused.push(`${net.nameOf(peerId)} ${reason.code}`));
    await net.connect('B', 'A');
    await net.settle(20_000);
    const stream = await net.run(net.node('B').connections[0]!.openStream(PROTOCOL));
    stream.attach({});
    stream.write(bytes(net));
    stream.end();
    await net.settle(10_000);
    const result = { refused, known: known(net, 'A') };
    await net.close();
    return result;
  }

  const signedBy = (
    signer: MatryoshkaNode,
    expiresUnixMs: number,
    networkId = descriptorNetworkId(provider, networkKeyPsk(provider)),
  ): Uint8Array =>
    signDescriptor(signer.identity, {
      version: 5,
      expiresUnixMs,
      networkId,
      staticKey: new Uint8Array(32),
      staticKeyExpiresUnixMs: expiresUnixMs,
      relays: true,
      bandwidthBytesPerSecond: 0,
      limits: { bytesPerSecond: 0, maxBytes: 0, maxAgeMs: 0 },
      operator: '',
      software: '',
      endpoints: [],
    });
  const listed = (descriptor: Uint8Array): Uint8Array => Uint8Array.of(descriptor.length >> 8, descriptor.length & 255, ...descriptor);
  const soon = (net: TestNetwork): number => net.world.clock.unixMs() + 3_600_000;

  test('a good one is taken', async () => {
    expect(await said(10, (net) => listed(signedBy(net.node('B'), soon(net))))).toEqual({ refused: [], known: ['A', 'B'] });
  });

  test('a forged one is refused, and whoever sent it is to blame', async () => {
    const result = await said(11, (net) => {
      const forged = signedBy(net.node('B'), soon(net));
      forged[70] = 1;
      return listed(forged);
    });
    expect(result).toEqual({ refused: ['B session.descriptor-forged'], known: ['A'] });
  });

  test('one of another network as well', async () => {
    const networkId = descriptorNetworkId(provider, networkKeyPsk(provider, new Uint8Array(16)));
    const result = await said(12, (net) => listed(signedBy(net.node('B'), soon(net), networkId)));
    expect(result).toEqual({ refused: ['B session.descriptor-foreign'], known: ['A'] });
  });

  test('one that has expired is let go: clocks differ', async () => {
    expect(await said(13, (net) => listed(signedBy(net.node('B'), net.world.clock.unixMs() - 1)))).toEqual({ refused: [], known: ['A'] });
  });

  test.each<[string, Uint8Array, string[]]>([
    ['nothing', new Uint8Array(0), []],
    ['garbage', new Uint8Array(5000).fill(3), ['B wire.invalid']],
    ['an endless entry', Uint8Array.of(0xff, 0xff), ['B wire.too-long']],
    ['half an entry', Uint8Array.of(0, 5, 1), ['B wire.truncated']],
  ])('%s', async (_what, bytes, refused) => {
    expect(await said(14, () => bytes)).toEqual({ refused, known: ['A'] });
  });
});
