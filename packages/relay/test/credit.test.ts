import { Recorder } from '@matryoshka/transport/contract';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { MAX_RELAY_WINDOW_BYTES, MIN_RELAY_WINDOW_BYTES, type RelayService } from '../src/index.ts';
import { type OpenedLink, type Party, type RelayWorld, openLink, row } from './relay-world.ts';

afterEach(() => vi.restoreAllMocks());

const taken = (net: RelayWorld): number[] => net.parties.map(({ relay }) => relay.pool.takenBytes);

/** Sends `count` messages of so many bytes as the link takes them. */
function sendMany({ near }: OpenedLink, count: number, length: number): void {
  let sent = 0;
  const message = new Uint8Array(length);
  const pump = (): void => {
    while (sent < count) {
      sent++;
      if (!near.send([message])) return;
    }
  };
  near.attach(Object.assign(new Recorder(), { writable: pump }));
  pump();
}

describe('windows', () => {
  test('an idle link holds the smallest ones, everywhere on its path', async () => {
    const net = await row(4, 1);
    await openLink(net);
    await net.world.clock.advance(3000);
    const one = MIN_RELAY_WINDOW_BYTES;
    expect(taken(net)).toEqual([one, 2 * one, 2 * one, one]);
    // And none of it is told over and over.
    const sent = net.parties.map((party) => vi.spyOn(party.relay, 'message'));
    await net.world.clock.advance(60_000);
    expect(sent.map(({ mock }) => mock.calls.length)).toEqual([0, 0, 0, 0]);
  });

  test('grow with use, in the direction of the data, and are given back afterwards', async () => {
    const net = await row(3, 2);
    const link = await openLink(net);
    await net.world.clock.advance(3000);
    const reader = new Recorder();
    link.far.attach(reader);
    sendMany(link, 1000, 50_000);
    await net.world.run(reader.until(({ messages }) => messages.length === 900));
    const [a, b, c] = taken(net);
    expect(a).toBe(MIN_RELAY_WINDOW_BYTES);
    expect(b).toBe(MAX_RELAY_WINDOW_BYTES + MIN_RELAY_WINDOW_BYTES);
    expect(c).toBe(MAX_RELAY_WINDOW_BYTES);
    await net.world.run(reader.until(({ messages }) => messages.length === 1000));
    await net.world.clock.advance(4000);
    expect(taken(net)).toEqual([2048, 4096, 2048]);
    // It begins again from there, with messages longer than the smallest window.
    sendMany(link, 3, 65_535);
    await net.world.run(reader.until(({ messages }) => messages.length === 1003));
  });

  test('a message now and then passes through the smallest windows and does not make them grow', async () => {
    const net = await row(3, 3);
    const link = await openLink(net);
    const reader = new Recorder();
    link.far.attach(reader);
    await net.world.clock.advance(3000);
    for (let i = 0; i < 50; i++) {
      link.near.send([new Uint8Array(500)]);
      // oxlint-disable-next-line no-await-in-loop
      await net.world.clock.advance(1500);
    }
    expect(reader.messages.length).toBe(50);
    expect(taken(net)).toEqual([2048, 4096, 2048]);
  });
});

describe('relay memory', () => {
  test('is never more than its bound, with slow readers, with some that read nothing, and with some that give back what they have not', async () => {
    const relayMemoryBytes = 1024 * 1024;
    const net = await row(3, 4, [{}, { relayMemoryBytes }, {}]);
    const [a, b, c] = net.parties as [Party, Party, Party];
    const most = { taken: 0, waiting: 0 };
    const watch = (service: RelayService): void => {
      most.taken = Math.max(most.taken, service.pool.takenBytes);
      let waiting = 0;
      for (const { upstream, downstream } of service.served)
        waiting += upstream.egress.pendingBytes + (downstream?.egress.pendingBytes ?? 0);
      most.waiting = Math.max(most.waiting, waiting);
    };
    const data = b.relay.data.bind(b.relay);
    vi.spyOn(b.relay, 'data').mockImplementation((...of) => {
      data(...of);
      watch(b.relay);
    });
    const message = b.relay.message.bind(b.relay);
    vi.spyOn(b.relay, 'message').mockImplementation((...of) => {
      message(...of);
      watch(b.relay);
    });
    const links: OpenedLink[] = [];
    for (let i = 0; i < 24; i++) {
      // oxlint-disable-next-line no-await-in-loop
      links.push(await openLink(net));
    }
    const readers = links.map(({ far }) => {
      const reader = new Recorder();
      far.attach(reader);
      return reader;
    });
    for (const [i, link] of links.entries()) {
      if (i % 4 === 0) link.far.pause();
      sendMany(link, 100, 20_000 + i);
    }
    // Slow: reads for a moment now and then.
    for (let i = 0; i < 40; i++) {
      // oxlint-disable-next-line no-await-in-loop
      await net.world.clock.advance(200);
      for (const [j, { far }] of links.entries())
        if (j % 4 === 1)
          if (i % 2 === 0) far.pause();
          else far.resume();
    }
    // Who reads nothing costs nobody else anything, and holds no more than it was granted.
    expect(readers.filter(({ messages }) => messages.length === 100).length).toBeGreaterThanOrEqual(12);
    // One gives back all it has, again and again, and begins again each time.
    const { near } = links[2] as OpenedLink;
    for (let i = 0; i < 50; i++) {
      a.send(b, { type: 'relay-credit-return', port: near.local.relayPort as bigint, bytes: 1 });
      // oxlint-disable-next-line no-await-in-loop
      await net.world.clock.advance(50);
    }
    expect(most.taken).toBeGreaterThan(relayMemoryBytes / 8);
    expect(most.taken).toBeLessThanOrEqual(relayMemoryBytes / 4);
    expect(most.waiting).toBeLessThanOrEqual(relayMemoryBytes / 4);
    // One says it gives back more than it has, and is gone with all it had.
    a.send(b, { type: 'relay-credit-return', port: near.local.relayPort as bigint, bytes: 3_000_000 });
    await net.world.clock.advance(40_000);
    for (const { far } of links) far.resume();
    await net.world.clock.advance(1000);
    expect(taken(net)).toEqual([0, 0, 0]);
    expect(c.arrived.length).toBe(24);
  });
});
