import type { Link } from '@matryoshka/transport';
import { describe, expect, test } from 'vitest';
import { DEFAULT_RESUME_SETTINGS } from '../src/index.ts';
import { ALICE, NOTHING, Stage, type StageOptions, StallingLink, channels } from './resume-stage.ts';

// What carries a session's link is interrupted (docs/protocol.md §5.3): its initiator bears that for a while, then looks for
// another path. `flowing` brings it back to the old one, up to the point of no return.

const { stallMs, graceMs } = DEFAULT_RESUME_SETTINGS;
/** Dial, handshake and resume take this long over the links below, at most, pause included. */
const ATTEMPT_MS = 200;

interface Stalling {
  readonly stage: Stage;
  /** Alice's ends, in order. */
  readonly links: StallingLink[];
  /** The one there is. */
  readonly link: () => StallingLink;
}

async function stalling(kind: 'direct' | 'relayed' = 'relayed', options: StageOptions = {}): Promise<Stalling> {
  const links: StallingLink[] = [];
  const wrap = (link: Link): Link => {
    const made = new StallingLink(link, kind);
    links.push(made);
    return made;
  };
  const stage = await Stage.connected({ wrap, ...options });
  return { stage, links, link: () => links.at(-1) as StallingLink };
}

describe('a session whose path is stalled', () => {
  test('tells the links that it carries, once, and is not suspended', async () => {
    const { stage, link } = await stalling();
    link().stall();
    link().stall();
    expect([stage.session().stalled, stage.session().suspended, stage.alice.carried]).toEqual([true, false, ['stalled']]);
    await stage.advance(stallMs - 1);
    link().flow();
    link().flow();
    expect([stage.session().stalled, stage.alice.carried]).toEqual([false, ['stalled', 'flowing']]);
    // The other side has heard nothing of it, and nobody has looked for another path.
    await stage.advance(graceMs);
    expect([stage.alice.events, stage.bob.events, stage.attempts.length]).toEqual([[], [], 1]);
    stage.session().close();
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });

  test('looks for another one after 2 s, and goes on over that: nothing is lost', async () => {
    const { stage, links, link } = await stalling();
    const open = channels(stage.bob);
    const channel = open(stage.session());
    await stage.advance(100);
    stage.wire.lose('dialler');
    stage.wire.lose('listener');
    channel.out.send(200_000);
    channel.back.send(200_000);
    link().stall();
    await stage.advance(stallMs - 1);
    expect(stage.attempts).toHaveLength(1);
    await stage.advance(ATTEMPT_MS);
    expect(stage.attempts[1]).toMatchObject({ reason: { code: 'session.link-lost' }, session: stage.session().id });
    await stage.advance(1000);
    expect([channel.out, channel.back]).toMatchObject([
      { received: 200_000, wrong: 0 },
      { received: 200_000, wrong: 0 },
    ]);
    expect([stage.alice.events, stage.alice.carried]).toEqual([
      ['suspended session.path-stalled', 'resumed'],
      // Interrupted once, although twice over.
      ['stalled', 'flowing anew'],
    ]);
    // Of the old link nothing is heard any more.
    links[0]?.flow();
    links[0]?.stall();
    links[0]?.deliver(new Uint8Array(40));
    expect([stage.session().stalled, links.length]).toEqual([false, 2]);
    stage.session().close();
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });

  test('does not react over a direct link: nothing carries that', async () => {
    const { stage, link } = await stalling('direct');
    link().stall();
    await stage.advance(graceMs);
    expect([stage.attempts.length, stage.alice.events]).toEqual([1, []]);
    link().flow();
    stage.session().close();
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });

  test('does not react as the responder: who opened a link opens the next one', async () => {
    const stage = await Stage.connected();
    stage.other().linkHandler.stalled();
    await stage.advance(graceMs);
    expect([stage.other().stalled, stage.bob.carried, stage.attempts.length]).toEqual([true, ['stalled'], 1]);
    stage.other().linkHandler.flowing();
    expect([stage.other().stalled, stage.bob.events]).toEqual([false, []]);
    stage.session().close();
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });

  test('ends where nobody ever tells what became of it', async () => {
    const { stage, link } = await stalling();
    stage.instead.push(...Array.from({ length: 100 }, () => () => Promise.reject(new Error('no way'))));
    link().stall();
    await stage.advance(2 * graceMs - 1);
    expect(stage.session().sending).toBe(true);
    await stage.advance(1000);
    expect(stage.alice.events).toEqual(['closed session.path-stalled']);
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });

  // The attempt: pause up to 20 ms, connect 40 ms, request 20 ms, answer 20 ms: then the opening goes out.
  test.each([0, 5, 25, 45, 65, 75])('flows again %i ms after it began to look: the attempt is given up', async (afterMs) => {
    const { stage, link, links } = await stalling();
    link().stall();
    await stage.advance(stallMs + afterMs);
    links[0]?.flow();
    expect([stage.session().stalled, stage.alice.carried]).toEqual([false, ['stalled', 'flowing']]);
    stage.session().send({ type: 'relay-close', port: 1n, reason: 'closed' });
    await stage.advance(1000);
    expect([stage.alice.events, stage.bob.events, stage.bob.notes]).toEqual([[], [], [1]]);
    expect(stage.session().link).toBe(links[0]);
    expect(stage.wires.filter(({ open }) => open)).toHaveLength(1);
    // And it begins anew when it stalls anew.
    links[0]?.stall();
    await stage.advance(stallMs + ATTEMPT_MS);
    expect(stage.alice.events).toEqual(['suspended session.path-stalled', 'resumed']);
    stage.session().close();
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });

  test('flows again after the point of no return: it goes on over the new path all the same', async () => {
    const { stage, links } = await stalling();
    const returned: string[] = [];
    let sentAtMs = 0;
    stage.world.network.tap((from, _to, message, wire) => {
      // The opening with session-resume in it: from here on the old link is neither read nor sent to.
      if (wire.id !== 2 || from.host !== ALICE || message.length !== 384) return;
      sentAtMs = stage.world.clock.now();
      stage.world.clock.after(1, () => {
        returned.push(...stage.alice.events);
        links[0]?.flow();
        // What comes over it now is not read.
        stage.other().send({ type: 'relay-close', port: 1n, reason: 'closed' });
      });
    });
    links[0]?.stall();
    await stage.advance(stallMs + ATTEMPT_MS);
    expect([sentAtMs > 0, returned]).toEqual([true, ['suspended session.path-stalled']]);
    expect([stage.alice.events, stage.bob.events]).toEqual([
      ['suspended session.path-stalled', 'resumed'],
      ['suspended session.link-lost', 'resumed'],
    ]);
    expect(stage.session().link).toBe(links[1]);
    await stage.advance(1000);
    expect(stage.alice.notes).toEqual([1]);
    stage.session().close();
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });

  test('and then loses its link altogether: one search goes on', async () => {
    const { stage, links } = await stalling();
    stage.instead.push(
      () => Promise.reject(new Error('no way')),
      () => Promise.reject(new Error('no way')),
    );
    links[0]?.stall();
    await stage.advance(stallMs + 50);
    stage.wire.cut();
    await stage.advance(3000);
    expect([stage.attempts.length, stage.alice.events]).toEqual([4, ['suspended session.link-lost', 'resumed']]);
    expect(stage.alice.carried).toEqual(['stalled', 'flowing anew']);
    stage.session().close();
    await expect(stage.leftovers()).resolves.toEqual(NOTHING);
  });

  test('may be closed meanwhile: nothing is left of the search', async () => {
    for (const afterMs of [10, stallMs + 5, stallMs + 50, stallMs + 90]) {
      // Each in its own world, one after the other.
      // oxlint-disable-next-line no-await-in-loop
      const { stage, links } = await stalling();
      links[0]?.stall();
      // oxlint-disable-next-line no-await-in-loop
      await stage.advance(afterMs);
      stage.session().close();
      // oxlint-disable-next-line no-await-in-loop
      await stage.advance(500);
      stage.other().close();
      // oxlint-disable-next-line no-await-in-loop
      await expect(stage.leftovers()).resolves.toEqual(NOTHING);
      expect(stage.alice.events.at(-1)).toBe('closed closed');
    }
  });
});
