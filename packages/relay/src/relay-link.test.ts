import { SimulatedClock } from '@matryoshka/simulation';
import type { Clock, LinkHandler, LinkInfo } from '@matryoshka/transport';
import { HANDSHAKE_ANSWER_LENGTH, HANDSHAKE_REQUEST_LENGTH, parseEndpoint } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { type FakeSession, fakeSession } from '../test/fake-session.ts';
import { Account } from './account.ts';
import { CreditPool } from './credit-pool.ts';
import { IdleCredit } from './idle-credit.ts';
import { DEFAULT_RELAY_LIMITS, RelayLimiter, UNLIMITED } from './relay-limits.ts';
import { RelayLink } from './relay-link.ts';
import type { RelayWindow } from './relay-window.ts';
import { ServedLink, type ServedLinkHost } from './served-link.ts';

const window = (): RelayWindow => new CreditPool().take() as RelayWindow;

const ANSWER = new Uint8Array(HANDSHAKE_ANSWER_LENGTH);

function relayLink(clock: Clock, session: FakeSession): RelayLink {
  return new RelayLink({
    clock,
    idleCredit: new IdleCredit(clock),
    session,
    port: 1n,
    role: 'originator',
    remote: parseEndpoint('192.0.2.9:999'),
    window: window(),
    credit: 0,
    forget: () => {},
  });
}

function owner(heard: string[]): LinkHandler {
  return {
    message: () => {},
    written: () => {},
    writable: () => {},
    stalled: () => void heard.push('stalled'),
    flowing: () => void heard.push('flowing'),
    closed: () => {},
  };
}

describe('what a relay link says of itself', () => {
  test('follows what carries it, which may change', () => {
    const clock = new SimulatedClock();
    const direct: LinkInfo = { kind: 'direct', nesting: 0, carriers: [] };
    const carrier = fakeSession({ id: 'b' });
    const carriedOver = (info: LinkInfo): void => void Object.assign(carrier, { link: { ...carrier.link, info } });
    carriedOver(direct);
    const link = relayLink(clock, carrier);
    const { info } = link;
    expect(info).toMatchObject({ kind: 'relayed', nesting: 1, carriers: ['b'], limits: UNLIMITED });
    // The same over another link of the same kind.
    carriedOver(direct);
    expect(link.info).toBe(info);
    carriedOver({ kind: 'relayed', nesting: 1, carriers: ['a'] });
    expect(link.info).toMatchObject({ kind: 'relayed', nesting: 2, carriers: ['b', 'a'] });
    const limits = { ...UNLIMITED, bytesPerSecond: 5 };
    link.status({ type: 'relay-status', port: 1n, status: 'accepted', window: 65_536, limits, answer: ANSWER });
    expect(link.info).toMatchObject({ carriers: ['b', 'a'], limits });
  });
});

describe('whether a relay link is stalled', () => {
  test('is told to each owner anew: the one before may have let it go', async () => {
    const clock = new SimulatedClock();
    const link = relayLink(clock, fakeSession());
    link.status({ type: 'relay-status', port: 1n, status: 'accepted', window: 65_536, limits: UNLIMITED, answer: ANSWER });
    const [first, second]: [string[], string[]] = [[], []];
    link.attach(owner(first));
    await clock.run();
    link.carrierStalled();
    await clock.run();
    link.attach(owner(second));
    await clock.run();
    link.carrierFlowing(false);
    await clock.run();
    expect([first, second]).toEqual([['stalled'], ['stalled', 'flowing']]);
  });

  test('is told to the previous hop when it opens, where the next hop stalled meanwhile', () => {
    const clock = new SimulatedClock();
    const host: ServedLinkHost = {
      clock,
      idleCredit: new IdleCredit(clock),
      limiter: new RelayLimiter(clock, DEFAULT_RELAY_LIMITS),
      forget: () => {},
      opened: () => {},
      ended: () => {},
      retry: () => false,
    };
    const [upstream, downstream] = [fakeSession(), fakeSession()];
    const served = new ServedLink(
      host,
      upstream,
      {
        type: 'relay-create',
        port: 1n,
        hopsLeft: 1,
        attemptsLeft: 4,
        budgetMs: 10_000,
        window: 65_536,
        destination: { endpoint: parseEndpoint('192.0.2.9:999') },
        request: new Uint8Array(HANDSHAKE_REQUEST_LENGTH),
      },
      window(),
      new Account(),
    );
    const side = served.ask(downstream, 1n, window(), { attemptsLeft: 3, budgetMs: 9000, patienceMs: undefined });
    // The next hop's link stalls while its answer is still on the way, and delivers that.
    side.carrierStalled();
    const answer = new Uint8Array(HANDSHAKE_ANSWER_LENGTH);
    side.status({ type: 'relay-status', port: 1n, status: 'accepted', window: 65_536, limits: UNLIMITED, answer });
    expect(upstream.sent).toMatchObject([
      { type: 'relay-status', status: 'accepted' },
      { type: 'relay-status', status: 'stalled' },
    ]);
    side.carrierFlowing(false);
    expect(upstream.sent.at(-1)).toMatchObject({ status: 'flowing' });
  });
});
