import { Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { duplex } from '../src/duplex.ts';
import { MatryoshkaError, type Stream } from '../src/index.ts';
import { TestNetwork } from './network.ts';

let net: TestNetwork;
let near: Stream;
let far: Stream;

beforeEach(async () => {
  net = new TestNetwork(11);
  await net.start('A', '10.1.0.1');
  await net.start('B', '10.2.0.1');
  const { promise, resolve } = Promise.withResolvers<Stream>();
  net.node('B').serve('/test/1', (stream) => resolve(stream));
  const connection = await net.run(net.node('A').connect(net.address('B')));
  near = await net.run(connection.openStream('/test/1'));
  far = await promise;
});

afterEach(() => net.close());

function bytesOf(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8)) & 0xff));
}

describe('a duplex', () => {
  test('pipes both ways and ends each on its own', async () => {
    const echo = duplex(far);
    const echoing = pipeline(echo, echo);
    const sent = bytesOf(2_000_000);
    const ours = duplex(near);
    const pieces = Array.from({ length: 200 }, (_, index) => sent.subarray(index * 10_000, (index + 1) * 10_000));
    const [back] = await net.run(Promise.all([buffer(ours), pipeline(Readable.from(pieces), ours), echoing]));
    expect(Buffer.compare(back, sent)).toBe(0);
    expect([near.closed, far.closed]).toEqual([true, true]);
  });

  test('passes backpressure on, both ways', async () => {
    const [ours, theirs] = [duplex(near), duplex(far)];
    let written = 0;
    const pieces = function* (): Generator<Buffer> {
      for (; written < 100; written++) yield bytesOf(50_000);
    };
    const writing = pipeline(Readable.from(pieces()), ours);
    await net.settle();
    await net.settle();
    expect(near.bytesSent).toBeLessThanOrEqual(far.windowBytes + 100_000);
    expect(written).toBeLessThan(35);
    theirs.end();
    const [all] = await net.run(Promise.all([buffer(theirs), writing]));
    expect(all.length).toBe(5_000_000);
  });

  test('finish means that everything has gone out', async () => {
    const ours = duplex(near);
    far.attach({});
    ours.end(bytesOf(1_200_000));
    let finished = false;
    ours.on('finish', () => (finished = true));
    await net.settle();
    expect([finished, near.pendingBytes > 0]).toEqual([false, true]);
    far.attach({ data: () => {} });
    await net.settle();
    expect([finished, near.pendingBytes]).toEqual([true, 0]);
    ours.destroy();
  });

  test('errors come out typed', async () => {
    const ours = duplex(near);
    const piping = pipeline(ours, new Writable({ write: (_chunk, _encoding, callback) => callback() }));
    far.reset('stream.limit');
    await expect(net.run(piping)).rejects.toMatchObject({ code: 'stream.limit' });
    expect(ours.destroyed).toBe(true);
  });

  test('a write that waits fails with the stream', async () => {
    const ours = duplex(near);
    const failed = new Promise((resolve) => ours.on('error', resolve));
    const results: unknown[] = [];
    ours.write(bytesOf(2_000_000), (error) => results.push(error));
    await net.settle();
    expect(results).toEqual([]);
    far.reset('stream.failed');
    await expect(net.run(failed)).resolves.toMatchObject({ code: 'stream.failed' });
    expect(results).toEqual([expect.objectContaining({ code: 'stream.failed' })]);
    await expect(new Promise((resolve) => ours.write('x', resolve))).resolves.toBeInstanceOf(Error);
  });

  test.each<readonly [string, Error | undefined, string]>([
    ['without an error', undefined, 'stream.reset'],
    ['with an error of ours', new MatryoshkaError('stream.limit'), 'stream.limit'],
    ['with any other', new TypeError('mine'), 'stream.failed'],
  ])('destroyed %s resets the stream', async (_what, error, code) => {
    const closed = new Promise((resolve) => far.attach({ closed: resolve }));
    const ours = duplex(near);
    ours.on('error', () => {});
    ours.destroy(error);
    await expect(net.run(closed)).resolves.toMatchObject({ code });
  });

  test('over a stream that is over is destroyed', async () => {
    near.reset('stream.limit');
    const ours = duplex(near);
    await expect(new Promise((resolve) => ours.on('error', resolve))).resolves.toMatchObject({ code: 'stream.limit' });
  });
});
