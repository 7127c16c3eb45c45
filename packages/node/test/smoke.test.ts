import { expect, test } from 'vitest';
import type { Connection } from '../src/index.ts';
import { TestNetwork, serveEcho } from './network.ts';

async function echo(net: TestNetwork, connection: Connection, length: number): Promise<void> {
  const stream = await net.run(connection.openStream('/echo/1'));
  const sent = new Uint8Array(length).map((_, i) => (i * 31 + (i >> 8)) & 255);
  const got = new Uint8Array(length);
  let at = 0;
  let offset = 0;
  const pump = (): void => {
    while (offset < length) {
      const chunk = sent.subarray(offset, Math.min(length, offset + 30_000));
      offset += chunk.length;
      if (!stream.write(chunk)) return;
    }
    stream.end();
  };
  await net.run(
    new Promise<void>((resolve, reject) => {
      stream.attach({
        data: (bytes) => {
          got.set(bytes, at);
          at += bytes.length;
        },
        writable: pump,
        closed: (error) => (error === undefined ? resolve() : reject(error)),
      });
      pump();
    }),
  );
  expect(at).toBe(length);
  expect(Buffer.compare(got, sent)).toBe(0);
}

test('direct', async () => {
  const net = new TestNetwork(1);
  await net.start('A', '10.1.0.1');
  await net.start('B', '10.2.0.1');
  serveEcho(net.node('B'));
  const c = await net.run(net.node('A').connect(net.address('B')));
  await echo(net, c, 1_000_000);
  await net.close();
});

test('relayed 3 hops', async () => {
  const net = new TestNetwork(2);
  for (const [i, n] of ['A', 'B', 'C', 'D', 'F'].entries()) await net.start(n, `10.${i + 1}.0.1`, { relay: { enabled: true, allowDial: ['private'] } });
  serveEcho(net.node('D'));
  await net.connect('A', 'B');
  await net.connect('B', 'C', 'F');
  await net.connect('C', 'F');
  const c = await net.run(net.node('A').connect(net.address('D'), { hops: 3 }));
  expect(c.kind).toBe('relayed');
  await echo(net, c, 3_000_000);
  console.log(JSON.stringify(net.node('B').status(), null, 1), JSON.stringify(net.node('D').status(), null, 1));
  await net.close();
});

test('telescoped 4 hops', async () => {
  const net = new TestNetwork(3);
  for (const [i, n] of ['A', 'B', 'C', 'D', 'E'].entries()) await net.start(n, `10.${i + 1}.0.1`, { relay: { enabled: true, allowDial: ['private'] } });
  serveEcho(net.node('E'));
  const c = await net.run(net.node('A').connect(net.address('E'), { path: ['B', 'C', 'D'].map((n) => net.address(n)) }));
  expect(c.kind).toBe('telescoped');
  await echo(net, c, 3_000_000);
  await net.close();
});
