import { type World, createWorld } from '@matryoshka/simulation';
import { type Link, memoryLink } from '@matryoshka/transport';
import type { Message } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { type Session, TRAFFIC_PRESETS, type TrafficSettings } from '../src/index.ts';
import { TestNode, keyPairs, pattern, sameBytes, sessionOver } from './pair.ts';

// How the records of a session look from outside: their lengths, and when they go out (docs/protocol.md §4.5, §4.6).

/** A record as somebody at the cable sees it. */
interface Seen {
  readonly from: 'alice' | 'bob';
  readonly atMs: number;
  readonly length: number;
}

interface Stage {
  readonly world: World;
  readonly alice: Session;
  readonly bob: Session;
  readonly nodes: readonly [TestNode, TestNode];
  readonly links: readonly [Link, Link];
  readonly seen: Seen[];
}

const RECORD = 4096;
const CONSTANT: TrafficSettings = { padding: { kind: 'constant', recordLength: RECORD }, cover: { kind: 'none' } };
const RATE: TrafficSettings = { ...CONSTANT, cover: { kind: 'constant-rate', intervalMs: 10 } };
const COVER: TrafficSettings = { padding: { kind: 'padme' }, cover: { kind: 'random', meanMs: 50 } };

function stage(alices: TrafficSettings, bobs: TrafficSettings, { delayMs = 10, bytesPerMs = Number.POSITIVE_INFINITY } = {}): Stage {
  const world = createWorld({ seed: 5 });
  const seen: Seen[] = [];
  const links = memoryLink({
    clock: world.clock,
    delayMs: () => delayMs,
    observe: (from, _to, { length }) =>
      void seen.push({ from: from === links[0].local ? 'alice' : 'bob', atMs: world.clock.now(), length }),
  });
  const nodes = [
    Object.assign(new TestNode(world, 11), { traffic: alices }),
    Object.assign(new TestNode(world, 12), { traffic: bobs }),
  ] as const;
  const [ours, theirs] = keyPairs();
  const alice = sessionOver(nodes[0], Number.isFinite(bytesPerMs) ? slowed(links[0], world, bytesPerMs) : links[0], 'initiator', ours);
  const bob = sessionOver(nodes[1], links[1], 'responder', theirs);
  return { world, alice, bob, nodes, links, seen };
}

/** A link that takes its time for each byte it sends, one message after the other. */
function slowed(link: Link, { clock }: World, bytesPerMs: number): Link {
  let freeAtMs = 0;
  return Object.assign(Object.create(null) as object, {
    local: link.local,
    remote: link.remote,
    info: link.info,
    attach: (handler) => link.attach(handler),
    protect: () => {},
    pause: () => link.pause(),
    resume: () => link.resume(),
    close: (reason) => link.close(reason),
    send: (parts: readonly Uint8Array[]) => {
      freeAtMs = Math.max(freeAtMs, clock.now()) + parts.reduce((sum, part) => sum + part.length, 0) / bytesPerMs;
      clock.after(freeAtMs - clock.now(), () => link.send(parts));
      return true;
    },
  } satisfies Link);
}

/** The longest message that a relay passes on. */
const LARGE = { type: 'relay-data', port: 7n, more: false, bytes: pattern(60_000) } as const satisfies Message;
const CREATE = (port: bigint): Message => ({
  type: 'relay-create',
  port,
  hopsLeft: 1,
  attemptsLeft: 1,
  budgetMs: 1,
  window: 1,
  destination: { peer: pattern(32) },
  request: pattern(1280),
});

/** Sends bytes over a stream and says when each piece came. */
async function transfer(
  { world, alice, nodes }: Stage,
  pieces: readonly [atMs: number, length: number][],
): Promise<{ got: Uint8Array; atMs: number[] }> {
  const got: Uint8Array[] = [];
  const atMs: number[] = [];
  nodes[1].protocols.serve('/test/1', (stream) => {
    stream.attach({
      data: (bytes) => {
        got.push(bytes.slice());
        atMs.push(world.clock.now());
      },
    });
  });
  const stream = await world.run(alice.openStream('/test/1'));
  const fromMs = world.clock.now();
  for (const [at, length] of pieces) world.clock.after(at, () => stream.write(pattern(length, at)));
  await world.clock.advance(pieces.reduce((last, [at]) => Math.max(last, at), 0) + 2000);
  return { got: Uint8Array.from(Buffer.concat(got)), atMs: atMs.map((at) => at - fromMs) };
}

const PIECES: readonly [number, number][] = [
  [0, 1],
  [3, 70_000],
  [40, 5],
  [41, 3000],
  [300, 4200],
  [301, 90],
];
const SENT = Uint8Array.from(Buffer.concat(PIECES.map(([at, length]) => pattern(length, at))));

describe('records of one length', () => {
  test('whatever is sent: streams, control messages, what is longer than a record, acknowledgements', async () => {
    const it = stage(CONSTANT, CONSTANT);
    const { got } = await transfer(it, PIECES);
    expect(sameBytes(got, SENT)).toBe(true);
    for (let i = 1n; i <= 9n; i++) it.alice.send(CREATE(i));
    it.alice.send(LARGE);
    it.alice.send(CREATE(10n));
    await it.world.clock.advance(1000);
    const relayed = it.nodes[1].relayed;
    expect(relayed).toHaveLength(11);
    expect(relayed.slice(0, 9)).toEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n].map(CREATE));
    expect(sameBytes(relayed[9] as Uint8Array, LARGE.bytes)).toBe(true);
    expect(relayed[10]).toEqual(CREATE(10n));
    // Control messages that cannot be told by it either: the whole of it takes no more records than its bytes need.
    expect(it.seen.filter(({ length }) => length !== RECORD)).toEqual([]);
    it.alice.close();
    await it.world.clock.run();
    expect(it.nodes.map(({ slabs }) => slabs.out)).toEqual([0, 0]);
    expect(it.seen.filter(({ length }) => length !== RECORD)).toEqual([]);
  });

  test('messages fill records: no more of them than their bytes need', async () => {
    const { world, alice, seen } = stage(CONSTANT, CONSTANT);
    await world.clock.advance(100);
    seen.length = 0;
    for (let i = 1n; i <= 100n; i++) alice.send(CREATE(i));
    await world.clock.advance(100);
    const bytes = 100 * (3 + 16 + 33 + 1280);
    const room = RECORD - 16 - 11 - 3;
    expect(seen.filter(({ from }) => from === 'alice')).toHaveLength(Math.ceil(bytes / room));
  });

  test('the other side is asked for the same, by either side, and asked no more', async () => {
    for (const [alices, bobs] of [
      [CONSTANT, TRAFFIC_PRESETS.plain],
      [TRAFFIC_PRESETS.plain, CONSTANT],
    ] as const) {
      const { world, alice, bob, seen } = stage(alices, bobs);
      // oxlint-disable-next-line no-await-in-loop
      await world.clock.advance(100);
      expect([alice.traffic.recordLength, bob.traffic.recordLength]).toEqual(alices === CONSTANT ? [RECORD, 0] : [RECORD, RECORD]);
      // Without a handshake nobody has heard what alice asked for as she opened the session.
      if (alices === CONSTANT) alice.traffic.update(TRAFFIC_PRESETS.plain);
      // oxlint-disable-next-line no-await-in-loop
      await world.clock.advance(100);
      alice.traffic.update(CONSTANT);
      // oxlint-disable-next-line no-await-in-loop
      await world.clock.advance(100);
      expect([alice.traffic.recordLength, bob.traffic.recordLength]).toEqual([RECORD, RECORD]);
      seen.length = 0;
      alice.send(CREATE(1n));
      bob.send(CREATE(1n));
      // oxlint-disable-next-line no-await-in-loop
      await world.clock.advance(100);
      expect(new Set(seen.map(({ from, length }) => `${from} ${length}`))).toEqual(new Set([`alice ${RECORD}`, `bob ${RECORD}`]));
      alice.traffic.update(TRAFFIC_PRESETS.plain);
      bob.traffic.update(TRAFFIC_PRESETS.plain);
      // oxlint-disable-next-line no-await-in-loop
      await world.clock.advance(100);
      expect([alice.traffic.recordLength, bob.traffic.recordLength]).toEqual([0, 0]);
    }
  });

  test('settings change while a long message is on its way: nothing is lost', async () => {
    const it = stage(TRAFFIC_PRESETS.plain, TRAFFIC_PRESETS.plain);
    await it.world.clock.advance(100);
    const kinds = [
      CONSTANT,
      TRAFFIC_PRESETS.standard,
      { ...CONSTANT, padding: { kind: 'constant', recordLength: 2048 } },
      RATE,
      COVER,
      TRAFFIC_PRESETS.plain,
    ] as const;
    for (let i = 0; i < 30; i++) {
      it.alice.traffic.update(kinds[i % kinds.length]);
      it.alice.send(CREATE(BigInt(i + 1)));
      it.alice.send(LARGE);
      // oxlint-disable-next-line no-await-in-loop
      if (i % 3 === 0) await it.world.clock.advance(5);
    }
    await it.world.clock.advance(5000);
    expect(it.nodes[1].relayed.filter((message) => !(message instanceof Uint8Array))).toEqual(
      Array.from({ length: 30 }, (_, i) => CREATE(BigInt(i + 1))),
    );
    expect(it.nodes[1].relayed).toHaveLength(60);
    expect([it.alice.sending, it.bob.sending]).toEqual([true, true]);
  });
});

describe('padding', () => {
  test('Padmé: few sizes, and never longer than a session may make its own records', async () => {
    const it = stage(TRAFFIC_PRESETS.standard, TRAFFIC_PRESETS.plain);
    const { got } = await transfer(it, PIECES);
    expect(sameBytes(got, SENT)).toBe(true);
    for (const { from, length } of it.seen) {
      const plaintext = length - 16;
      if (from === 'alice')
        expect(plaintext === 64_512 || plaintext % 2 ** (Math.floor(Math.log2(plaintext)) - 4) === 0, `${plaintext}`).toBe(true);
      expect(plaintext).toBeLessThanOrEqual(64_512);
    }
    expect(Math.min(...it.seen.filter(({ from }) => from === 'alice').map(({ length }) => length))).toBe(64 + 16);
  });
});

describe('cover', () => {
  const quiet = async (settings: TrafficSettings): Promise<Stage> => {
    const it = stage(settings, TRAFFIC_PRESETS.plain);
    await it.world.clock.advance(100);
    it.seen.length = 0;
    return it;
  };

  test('there is some where nothing is sent, of both kinds, and none where it is off', async () => {
    const counts = [];
    for (const settings of [COVER, RATE, TRAFFIC_PRESETS.plain]) {
      // oxlint-disable-next-line no-await-in-loop
      const { world, alice, seen } = await quiet(settings);
      // oxlint-disable-next-line no-await-in-loop
      await world.clock.advance(5000);
      counts.push(seen.filter(({ from }) => from === 'alice').length);
      expect(alice.sending).toBe(true);
    }
    expect(counts[0]).toBeGreaterThan(70);
    expect(counts[0]).toBeLessThan(130);
    expect(counts.slice(1)).toEqual([500, 0]);
  });

  test('never delays data: all of it comes when it would without', async () => {
    const without = await transfer(stage(TRAFFIC_PRESETS.standard, TRAFFIC_PRESETS.standard), PIECES);
    const within = await transfer(stage(COVER, COVER), PIECES);
    expect(within.atMs).toEqual(without.atMs);
    expect(sameBytes(within.got, SENT)).toBe(true);
    // Much more of it than data, too.
    const eager = { ...COVER, cover: { kind: 'random', meanMs: 1 } } as const;
    expect((await transfer(stage(eager, eager), PIECES)).atMs).toEqual(without.atMs);
  });

  test('on a slow link data finds one record of it before it at most', async () => {
    // A record takes some 10 ms; cover would like to go out each millisecond.
    const eager = { ...CONSTANT, cover: { kind: 'random', meanMs: 1 } } as const;
    const slow = { bytesPerMs: 400 };
    const pieces: readonly [number, number][] = [
      [0, 10],
      [200, 10],
      [400, 10],
      [633, 10],
    ];
    const without = await transfer(stage(CONSTANT, CONSTANT, slow), pieces);
    const within = await transfer(stage(eager, CONSTANT, slow), pieces);
    expect(within.atMs).toHaveLength(without.atMs.length);
    for (const [i, atMs] of within.atMs.entries()) expect(atMs - (without.atMs[i] as number)).toBeLessThanOrEqual(RECORD / 400 + 1);
  });

  test('a link that is busy gets none, and none is queued', async () => {
    const eager = { padding: { kind: 'padme' }, cover: { kind: 'random', meanMs: 1 } } as const;
    const it = await quiet(eager);
    const sent = (): number => it.seen.filter(({ from }) => from === 'alice').length;
    // Nobody reads: what is sent stays with the link.
    it.links[1].pause();
    await it.world.clock.advance(6000);
    const before = sent();
    await it.world.clock.advance(6000);
    expect(sent()).toBe(before);
    it.links[1].resume();
    await it.world.clock.advance(1);
    // One record had waited.
    expect(sent() - before).toBeLessThan(5);
    await it.world.clock.advance(100);
    expect(sent() - before).toBeGreaterThan(50);
  });

  test('constant rate: as many records with data as without, all of one length', async () => {
    const idle = await quiet(RATE);
    await idle.world.clock.advance(3000);
    const busy = await quiet(RATE);
    for (let i = 1n; i <= 200n; i++) busy.alice.send(CREATE(i));
    await busy.world.clock.advance(3000);
    const times = ({ seen }: Stage): number[] => seen.filter(({ from }) => from === 'alice').map(({ atMs }) => atMs);
    expect(times(busy)).toEqual(times(idle));
    expect(new Set(busy.seen.filter(({ from }) => from === 'alice').map(({ length }) => length))).toEqual(new Set([RECORD]));
    expect(busy.nodes[1].relayed).toHaveLength(200);
  });

  test('constant rate: the other side cannot slow it down by asking for other records', async () => {
    const it = await quiet(RATE);
    for (let i = 0; i < 500; i++) {
      it.bob.send({ type: 'shape', recordLength: i % 2 === 0 ? 2048 : 0 });
      // oxlint-disable-next-line no-await-in-loop
      await it.world.clock.advance(2);
    }
    expect(it.seen.filter(({ from }) => from === 'alice')).toHaveLength(100);
  });

  test('constant rate: the first record goes out at once, as that of a resume does', async () => {
    const { world, seen } = stage(RATE, TRAFFIC_PRESETS.plain);
    await world.clock.advance(1);
    expect(seen.filter(({ from }) => from === 'alice')).toEqual([{ from: 'alice', atMs: 0, length: RECORD }]);
  });

  test('ends with the session', async () => {
    for (const settings of [COVER, RATE]) {
      // oxlint-disable-next-line no-await-in-loop
      const { world, alice, seen } = await quiet(settings);
      alice.close();
      // oxlint-disable-next-line no-await-in-loop
      await world.clock.run();
      const before = seen.length;
      // oxlint-disable-next-line no-await-in-loop
      await world.clock.advance(10_000);
      expect(seen).toHaveLength(before);
    }
  });
});
