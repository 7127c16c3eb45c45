import { createWorld } from '@matryoshka/simulation';
import { MatryoshkaError, type Message } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import type { Stream } from '../src/index.ts';
import { HELLO, failureOf, pattern, sessionPair } from './pair.ts';
import { rawPair } from './raw-peer.ts';

const code = (value: string): unknown => expect.objectContaining({ code: value });

describe('a session', () => {
  test('says hello before anything else, and hears it', async () => {
    const { world, sessions, nodes } = sessionPair();
    expect(sessions[0].hello).toBeUndefined();
    await world.run(sessions[0].greeted);
    expect([sessions[0].hello, sessions[1].hello, nodes[0].hellos]).toEqual([HELLO, HELLO, [HELLO]]);
    const { raw } = await rawPair();
    expect(raw.records[0]?.[0]).toBe('hello');
  });

  test('a newer hello replaces the older one', async () => {
    const { world, node, session, raw } = await rawPair();
    raw.send({ ...HELLO, relaying: true });
    await world.clock.advance(1);
    expect([session.hello?.relaying, node.hellos.length]).toEqual([true, 2]);
  });

  test('closes with a goodbye that says why, at both ends once', async () => {
    const { world, sessions, nodes } = sessionPair(1, { delayMs: () => 10 });
    await world.run(sessions[1].greeted);
    sessions[0].close(new MatryoshkaError('shutdown'));
    sessions[0].close(new MatryoshkaError('bug'));
    sessions[0].send(HELLO);
    await expect(world.run(sessions[1].closed)).resolves.toMatchObject({ code: 'shutdown' });
    await world.clock.run();
    await expect(sessions[0].closed).resolves.toMatchObject({ code: 'shutdown' });
    for (const node of nodes) expect(node.ended).toEqual([{ session: expect.anything() as unknown, reason: code('shutdown') }]);
    expect(nodes.map(({ slabs }) => slabs.out)).toEqual([0, 0]);
    expect(sessions.map(({ sending }) => sending)).toEqual([false, false]);
  });

  test('closing it fails its streams and those that are being opened, with the reason', async () => {
    const { world, sessions, nodes } = sessionPair(1, { delayMs: () => 10 });
    const served: Stream[] = [];
    nodes[1].protocols.serve('/test/1', (stream) => void served.push(stream));
    const stream = await world.run(sessions[0].openStream('/test/1'));
    const closes: unknown[] = [];
    stream.attach({ closed: (error) => void closes.push(error) });
    served[0]?.attach({ closed: (error) => void closes.push(error) });
    const opening = failureOf(sessions[0].openStream('/test/1'));
    sessions[0].close(new MatryoshkaError('shutdown'));
    expect(await opening).toMatchObject({ code: 'shutdown' });
    await world.clock.run();
    expect(closes).toEqual([code('shutdown'), code('shutdown')]);
    await expect(sessions[0].openStream('/test/1')).rejects.toMatchObject({ code: 'shutdown' });
    await expect(sessions[1].openStream('/test/1')).rejects.toMatchObject({ code: 'shutdown' });
    expect([...sessions[0].streams, ...sessions[1].streams]).toEqual([]);
  });

  test('a link that breaks is told as such, with its reason, and as it is where a relay says why', async () => {
    for (const [given, seen] of [
      ['transport.closed', 'session.link-lost'],
      ['relay.carrier-lost', 'relay.carrier-lost'],
    ] as const) {
      const { world, sessions } = sessionPair();
      // oxlint-disable-next-line no-await-in-loop
      await world.clock.advance(100);
      const reason = new MatryoshkaError(given, 'the cable was cut');
      sessions[0].linkHandler.closed(reason);
      // oxlint-disable-next-line no-await-in-loop
      await expect(sessions[0].closed).resolves.toMatchObject({ code: seen, message: expect.stringContaining('the cable was cut') });
      // oxlint-disable-next-line no-await-in-loop
      await world.clock.advance(100);
      // oxlint-disable-next-line no-await-in-loop
      await expect(sessions[1].closed).resolves.toMatchObject({ code: 'session.link-lost' });
    }
  });

  test('asks whether the other side is there, and gives up on one that is not', async () => {
    const world = createWorld({ seed: 1 });
    let silent = false;
    const { sessions } = sessionPair(1, { delayMs: () => (silent ? Number.POSITIVE_INFINITY : 40) }, world);
    await world.clock.advance(60_000);
    expect([sessions[0].sending, sessions[0].roundTripMs]).toEqual([true, 80]);
    silent = true;
    const startMs = world.clock.now();
    await world.run(Promise.all(sessions.map(({ closed }) => closed)));
    await expect(sessions[0].closed).resolves.toMatchObject({ code: 'session.path-stalled' });
    expect(world.clock.now() - startMs).toBeGreaterThanOrEqual(17_000);
    expect(world.clock.now() - startMs).toBeLessThanOrEqual(26_000);
  });

  test('a session that is over leaves nothing behind that happens', async () => {
    const { world, sessions } = sessionPair();
    await world.clock.advance(10);
    sessions[0].close();
    await world.clock.run();
    expect(world.clock.now()).toBeLessThan(5000);
  });

  test('hands relay messages on, and ends with what their handler throws', async () => {
    const { world, node, raw, session } = await rawPair();
    raw.send(
      { type: 'relay-close', port: 5n, reason: 'closed' },
      { type: 'relay-data', port: 5n, more: false, bytes: Uint8Array.of(1, 2) },
    );
    await world.clock.advance(1);
    expect(node.relayed).toEqual([{ type: 'relay-close', port: 5n, reason: 'closed' }, Uint8Array.of(1, 2)]);
    node.relay.message = () => {
      throw new MatryoshkaError('relay.protocol');
    };
    raw.send({ type: 'relay-close', port: 5n, reason: 'closed' });
    await world.clock.advance(1);
    expect(raw.of('goodbye')).toEqual([{ type: 'goodbye', reason: 'relay.protocol' }]);
    await expect(session.closed).resolves.toMatchObject({ code: 'relay.protocol' });
  });
});

describe('acknowledgements', () => {
  const data = (length: number): Message => ({ type: 'stream-data', streamId: 0, bytes: new Uint8Array(length) });

  async function receiving(): Promise<Awaited<ReturnType<typeof rawPair>>> {
    const it = await rawPair();
    it.node.protocols.serve('/sink/1', (stream) => stream.attach({ data: () => {} }));
    it.raw.send({ type: 'stream-open', streamId: 0, window: 0, protocol: '/sink/1' });
    await it.world.clock.advance(100);
    it.raw.received.length = 0;
    return it;
  }

  test('wait for 25 ms at most', async () => {
    const { world, raw } = await receiving();
    raw.send(data(1000));
    await world.clock.advance(24);
    raw.send(data(1000));
    await world.clock.advance(0);
    expect(raw.received).toEqual([]);
    await world.clock.advance(2);
    expect(raw.received).toEqual([{ type: 'acknowledge', delivered: 4 }]);
    await world.clock.advance(1000);
    expect(raw.received).toHaveLength(1);
  });

  test('go at once after 256 KiB', async () => {
    const { world, raw } = await receiving();
    for (let i = 0; i < 5; i++) raw.send(data(60_000));
    await world.clock.advance(1);
    expect(raw.of('acknowledge')).toEqual([{ type: 'acknowledge', delivered: 7 }]);
  });

  test('go with anything outgoing', async () => {
    const { world, raw } = await receiving();
    raw.send(data(10), { type: 'ping', token: pattern(8) });
    await world.clock.advance(1);
    expect(raw.received).toEqual([
      { type: 'pong', token: pattern(8) },
      { type: 'acknowledge', delivered: 3 },
    ]);
  });

  test('are not made for records without a numbered message', async () => {
    const { world, raw } = await receiving();
    raw.send({ type: 'acknowledge', delivered: 1 });
    raw.send({ type: 'stream-credit', streamId: 0, total: 5 });
    await world.clock.advance(1000);
    expect(raw.received).toEqual([]);
  });

  test('a peer that never acknowledges gets so much and no more, yet its pings are answered', async () => {
    const { world, node, session, raw } = await rawPair();
    const opening = session.openStream('/theirs/1');
    await world.clock.advance(1);
    raw.send({ type: 'stream-credit', streamId: 1, total: 100_000_000 });
    const stream = await world.run(opening);
    let written = 0;
    const write = (): void => {
      while (written < 20_000_000) {
        written += 50_000;
        if (!stream.write(new Uint8Array(50_000))) break;
      }
    };
    stream.attach({ writable: write });
    write();
    await world.clock.advance(1000);
    const got = raw.of('stream-data').reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(got).toBeGreaterThan(4_100_000);
    expect(got).toBeLessThan(4_300_000);
    expect(node.slabs.out).toBeLessThanOrEqual(18);
    raw.received.length = 0;
    raw.send({ type: 'ping', token: pattern(8) });
    await world.clock.advance(1);
    expect(raw.received.map(({ type }) => type)).toEqual(['pong']);
    raw.send({ type: 'acknowledge', delivered: 30 });
    await world.clock.advance(1);
    expect(raw.of('stream-data').length).toBeGreaterThan(20);
  });

  test('what they let go at the moment of a close goes before the goodbye, also where that closes the session again', async () => {
    const { world, node, session, raw } = await rawPair();
    const opening = session.openStream('/theirs/1');
    await world.clock.advance(1);
    raw.send({ type: 'stream-credit', streamId: 1, total: 100_000_000 });
    const stream = await world.run(opening);
    stream.attach({ finished: () => session.close() });
    // Until too much waits for acknowledgement.
    while (stream.pendingBytes === 0) {
      stream.write(new Uint8Array(50_000));
      // oxlint-disable-next-line no-await-in-loop
      await world.clock.advance(1);
    }
    stream.end();
    await world.clock.advance(1);
    const numbered = raw.records.filter((types) => types.some((type) => type === 'hello' || type.startsWith('stream-'))).length;
    raw.received.length = 0;
    node.relay.message = () => session.close(new MatryoshkaError('shutdown'));
    raw.send({ type: 'acknowledge', delivered: numbered }, { type: 'relay-close', port: 1n, reason: 'closed' });
    await world.clock.advance(1);
    expect(raw.received.map(({ type }) => type)).toEqual(['stream-data', 'stream-end', 'goodbye']);
    expect(raw.of('goodbye')).toEqual([{ type: 'goodbye', reason: 'shutdown' }]);
  });
});
