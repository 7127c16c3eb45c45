import { describe, expect, test } from 'vitest';
import { type RelayPlan, type Vice, drawRelayPlan } from './relay-plan.ts';
import { type RelayPlayed, playRelays } from './relay-play.ts';

const SIDE = { length: 150_000, maxChunk: 5000, pauseChance: 0.1, maxPauses: 8, maxPauseMs: 100, stopChance: 0 };

/** Six nodes, all connected; node 0 asks for node 4 through node 2. */
const small: RelayPlan = {
  ...drawRelayPlan(1),
  nodes: 6,
  shape: 'dense',
  edges: [0, 1, 2, 3, 4].flatMap((from) => [1, 2, 3, 4, 5].filter((to) => to > from).map((to) => ({ from, to }))),
  networks: [0, 1, 2, 3, 4, 5],
  conditions: { latencyMs: [2, 20] },
  timersLateMs: 2,
  relayMemoryBytes: Array.from({ length: 6 }, () => 16 * 1024 * 1024),
  allowances: true,
  perHopPorts: [],
  unwilling: [],
  requests: [
    {
      atMs: 500,
      from: 0,
      to: 4,
      way: { kind: 'relayed', hops: 3, gateway: 2, named: 'pinned' },
      anonymous: false,
      transfers: [0, 3000].map((startMs) => ({ startMs, opener: SIDE, server: SIDE })),
      closeAfterMs: undefined,
    },
  ],
  rogues: [],
  switches: [],
  faults: [],
};

/** The request of `small` over one more hop, four times: nodes 1, 3 and 5 are in the middle of them. */
const requests = [0, 1, 2, 3].map((i) => ({ ...small.requests[0]!, way: { ...small.requests[0]!.way, hops: 4 }, atMs: 500 + 10 * i }));

function withRogue(node: number, vices: readonly Vice[], fromMs: number, plan: RelayPlan = small): Promise<RelayPlayed> {
  return playRelays({ ...plan, rogues: [{ node, vices, fromMs }] });
}

describe('a world of relays', () => {
  test('is the same each time, bit for bit, whatever happens in it', async () => {
    for (const seed of [3, 7]) {
      const once = await playRelays(drawRelayPlan(seed));
      expect(await playRelays(drawRelayPlan(seed))).toEqual(once);
    }
  });

  test('keeps every promise where nothing breaks', async () => {
    expect(await playRelays(small)).toMatchObject({ violations: [], resumes: 0, blamed: [], tally: { opened: 1, completed: 2 } });
  });

  test.each<Vice>(['delay', 'duplicate', 'alter'])(
    'a relay that is given to %s: the session goes on around it, and nobody is blamed',
    async (vice) => {
      const { blamed, resumes, tally, violations } = await withRogue(2, [vice], 0);
      expect([violations, blamed]).toEqual([[], []]);
      expect(tally.completed).toBe(2);
      // What is late may come before anybody gives it up.
      if (vice !== 'delay') expect(resumes).toBeGreaterThan(0);
    },
  );

  test('a relay in the middle that is given to drop: the same', async () => {
    // Among so many that one of the attempts before a session is given up leads around it.
    const others = [...small.networks, 6, 7];
    const edges = others.flatMap((from) => others.filter((to) => to > from).map((to) => ({ from, to })));
    const relayMemoryBytes = others.map(() => 16 * 1024 * 1024);
    const plan = { ...small, nodes: others.length, networks: others, edges, relayMemoryBytes, requests };
    const { blamed, resumes, tally, violations } = await withRogue(1, ['drop'], 0, plan);
    expect([violations, blamed, tally.completed]).toEqual([[], [], 8]);
    expect(resumes).toBeGreaterThan(0);
  });

  test.each<[Vice, string]>([
    ['swallow', 'relay.timeout'],
    ['lie', 'relay.disabled'],
  ])('a relay that is given to %s: %s, and nobody is blamed', async (vice, code) => {
    const { blamed, tally, violations } = await withRogue(2, [vice], 0);
    expect([violations, blamed, [...tally.failures.keys()]]).toEqual([[], [], [code]]);
  });

  test.each<Vice>(['flood', 'stray', 'overrun', 'malformed'])(
    'a neighbour that is given to %s: it alone is blamed, and streams beside it do not notice',
    async (vice) => {
      // Through relays that read nothing of what they pass on, by whichever of them.
      const way = { kind: 'relayed', hops: 4, named: 'pinned' } as const;
      const plan = { ...small, requests: requests.map((request) => ({ ...request, way })) };
      const { blamed, tally, violations } = await withRogue(3, [vice], 700, plan);
      expect([violations, blamed, tally.completed]).toEqual([[], [3], 8]);
    },
  );

  test('whoever misbehaves behind relays is blamed by nobody, and neither are they', async () => {
    const { blamed, tally, violations } = await withRogue(3, ['behind'], 0);
    expect([violations, blamed, tally.completed]).toEqual([[], [], 2]);
  });

  test('tells what went wrong, and the plan', async () => {
    const { violations } = await playRelays({ ...small, requests: [{ ...small.requests[0]!, from: 0, to: 9 }] });
    expect(violations[0]).toContain('request 0: TypeError');
    expect(violations.at(-1)).toContain('request 0 at 500 ms: 0 to 9, 3 hops, pinned, gateway 2');
  });
});

describe('a circuit', () => {
  /** Ten nodes in a ring; node 0 asks for node 5 four times, over relays that it chooses. */
  const circuits: RelayPlan = {
    ...small,
    nodes: 10,
    shape: 'ring',
    edges: Array.from({ length: 10 }, (_, from) => ({ from, to: (from + 1) % 10 })),
    networks: Array.from({ length: 10 }, (_, i) => i),
    relayMemoryBytes: Array.from({ length: 10 }, () => 16 * 1024 * 1024),
    circuits: { entryGuards: 0, parallelBuilds: 1, ready: 0 },
    requests: requests.map((request) => ({ ...request, to: 5, way: { kind: 'circuit', hops: 4 } })),
  };
  const rogues = (vice: Vice): RelayPlan['rogues'] => [2, 3, 7].map((node) => ({ node, vices: [vice], fromMs: 0 }));

  test.each<Vice>(['impostor', 'astray', 'swallow', 'alter', 'duplicate'])(
    'among whose relays some are given to %s: others are found, and nobody is blamed',
    async (vice) => {
      const { blamed, tally, violations } = await playRelays({ ...circuits, rogues: rogues(vice) });
      expect([violations, blamed, tally.completed]).toEqual([[], [], 8]);
    },
  );

  test.each(Array.from({ length: 8 }, (_, i) => i + 1))('seed %i: no promise is broken', async (seed) => {
    expect((await playRelays(drawRelayPlan(seed, 'circuits'))).violations).toEqual([]);
  });
});

describe('whole worlds', () => {
  let opened = 0;
  let completed = 0;
  const failures = new Set<string>();

  test.each(Array.from({ length: 20 }, (_, i) => i + 1))('seed %i: no promise is broken', async (seed) => {
    const { tally, violations } = await playRelays(drawRelayPlan(seed));
    expect(violations).toEqual([]);
    opened += tally.opened;
    completed += tally.completed;
    for (const code of tally.failures.keys()) failures.add(code);
  });

  test('did what they are for', () => {
    expect(opened).toBeGreaterThan(30);
    expect(completed).toBeGreaterThan(30);
    expect(failures.size).toBeGreaterThan(4);
  });
});
