import type { Member } from '../cast/cast.ts';
import type { Scenario } from '../stage.ts';
import { sendBoth } from './send-both.ts';

/** Requests that are made before anybody knows: so likely one of them meets the silent relay. */
const REQUESTS = 5;

/** A next hop that does not answer, and whose silence nobody has noticed yet. */
export const silent: Scenario = {
  name: 'silent',
  title: 'R15: the cable of a next hop is pulled, and who asks it meanwhile is carried on by another one',
  drawing: `
internet
├─ A     66.171.45.90
├─ B     201.1.157.11
├─ C     151.101.5.5
├─ D     180.30.30.20
└─ F     93.184.20.7
`,
  async play(stage) {
    const { cast, lab } = stage;
    const [a, b, d, c, f] = (await cast.startAll(['A', 'B', 'D', 'C', 'F'])) as [Member, Member, Member, Member, Member];
    await a.worker.call('befriend', b.address);
    for (const { address } of [c, f]) await b.worker.call('befriend', address);
    await lab.unplug('C');
    const startedMs = performance.now();
    const requests = Array.from({ length: REQUESTS }, () => a.worker.call('connect', d.address, { hops: 3, gateway: b.peerId }));
    const connections = await Promise.all(requests);
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    stage.check(`all ${REQUESTS} requests get there (${seconds} s)`, connections.length, REQUESTS);
    const { relayLinks } = await b.worker.call('status');
    const carriers = relayLinks.filter(({ state }) => state === 'open').map(({ nextHop }) => nextHop?.peerId);
    stage.check('over the one that answers', new Set(carriers), new Set([f.peerId]));
    const faults = await Promise.all(connections.map(({ id }) => sendBoth(stage, a, d, id)));
    stage.check('and carry bytes', faults.flat(), []);
  },
};
