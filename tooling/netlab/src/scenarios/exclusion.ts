import type { Member } from '../cast/cast.ts';
import { type Scenario, type Stage, refusalOf } from '../stage.ts';

/** Draws of a next hop: that one of three is never drawn has a chance of 1 in 10,000. */
const DRAWS = 24;
const GENEROUS = { requestsPerSecond: 1000, burst: 1000 };
/** Neighbours of B that it must not choose, and those that it may. */
const EXCLUDED = ['nearA', 'nearB', 'nearD'] as const;
const OTHERS = ['X', 'Y', 'Z'] as const;

/** The example of the page that the project started from (R5), with its own addresses. */
export const exclusion: Scenario = {
  name: 'exclusion',
  title: 'R5: B, asked by A to reach D over one more hop, chooses none in their three /16 networks',
  drawing: `
internet
├─ A         66.171.45.90
├─ nearA     66.171.200.1
├─ B         201.1.157.11
├─ nearB     201.1.9.9
├─ D         180.30.30.20
├─ nearD     180.30.77.7
├─ X         93.184.20.7
├─ Y         151.101.5.5
└─ Z         66.172.45.90
`,
  play: (stage) => play(stage, '16 bits'),
};

export const exclusionIpv6: Scenario = {
  name: 'exclusion-ipv6',
  title: 'R4: the same with IPv6, of which 48 bits are a network',
  drawing: `
internet
├─ A         2a01:4f8:1::90
├─ nearA     2a01:4f8:1:7::1
├─ B         2a00:1450:4001::11
├─ nearB     2a00:1450:4001:9::9
├─ D         2a03:2880:30::20
├─ nearD     2a03:2880:30:77::7
├─ X         2a01:4f8:2::7
├─ Y         2a00:1450:4002::5
└─ Z         2a03:2880:31::20
`,
  play: (stage) => play(stage, '48 bits'),
};

async function play(stage: Stage, network: string): Promise<void> {
  const { cast } = stage;
  const started = await cast.startAll(['A', 'B', 'D', ...EXCLUDED, ...OTHERS], {
    relay: { enabled: true },
    access: { allowances: { unknown: GENEROUS } },
  });
  const member = (name: string): Member => started.find((each) => each.name === name) as Member;
  const [a, b, d] = [member('A'), member('B'), member('D')];
  await a.worker.call('befriend', b.address);
  for (const name of EXCLUDED) await b.worker.call('befriend', member(name).address);
  const refused = await refusalOf(a.worker.call('connect', d.address, { hops: 3, gateway: b.peerId }));
  stage.check(`with neighbours in those networks only, by ${network}, B says that there is none`, refused, 'relay.no-peers-available');

  for (const name of OTHERS) await b.worker.call('befriend', member(name).address);
  for (const name of ['nearA', 'nearD']) await a.worker.call('befriend', member(name).address);
  const chosen = new Map<string, number>();
  const gateways = new Set<string>();
  for (let draw = 0; draw < DRAWS; draw++) {
    // One after the other: what B forwards is this one.
    // oxlint-disable-next-line no-await-in-loop
    const { id } = await a.worker.call('connect', d.address, { hops: 3 });
    // oxlint-disable-next-line no-await-in-loop
    const { relayLinks } = await b.worker.call('status');
    const next = relayLinks.find(({ state }) => state === 'open')?.nextHop?.peerId;
    const name = started.find(({ peerId }) => peerId === next)?.name ?? 'nobody';
    chosen.set(name, (chosen.get(name) ?? 0) + 1);
    gateways.add(relayLinks.length > 0 ? 'B' : 'another');
    // oxlint-disable-next-line no-await-in-loop
    await a.worker.call('disconnect', id);
  }
  stage.check(
    `of ${DRAWS} next hops none is in the network of A, B or D, and every other neighbour was one`,
    [...chosen.keys()].toSorted(),
    [...OTHERS],
  );
  stage.check('A, too, passes over its neighbours in its own network and in that of D', [...gateways], ['B']);
}
