import { type Member, PORT } from '../cast/cast.ts';
import type { Scenario } from '../stage.ts';
import { until } from '../until.ts';
import { sendBoth } from './send-both.ts';

/** N can only dial out, and is reached all the same. */
export const nat: Scenario = {
  name: 'nat',
  title: 'R9: N, behind a NAT, dials out to a relay, and others reach it there',
  drawing: `
internet
├─ A          66.171.45.90
├─ B          201.1.157.11
├─ R          151.101.5.5
├─ S          93.184.20.7
└─ home       nat 84.20.30.40
   └─ N       192.168.1.10
`,
  async play(stage) {
    const { cast, lab } = stage;
    const [a, b, r, s] = (await cast.startAll(['A', 'B', 'R', 'S'])) as [Member, Member, Member, Member];
    const n = await cast.start('N', {
      listen: [`192.168.1.10:${PORT}`],
      relay: { enabled: true, forward: false, registerWith: [r.address] },
    });
    const registered = await until(async () => (await n.worker.call('status')).registrations.some(({ state }) => state === 'registered'));
    stage.check('N registers with R', registered, true);
    stage.check('R sees the address of the NAT', await lab.host('R').neighbours(), ['84.20.30.40']);
    for (const address of ['192.168.1.10', '84.20.30.40'])
      stage.check(`nobody gets in at ${address}`, await lab.host('A').reaches(address, PORT), false);
    stage.check('while N gets out', await lab.host('N').reaches('201.1.157.11', PORT), true);

    const atR = `${n.peerId}@${r.address}`;
    const near = await a.worker.call('connect', atR, { hops: 2 });
    stage.check('A reaches N as N@R, over R alone', await sendBoth(stage, a, n, near.id), []);
    await b.worker.call('befriend', r.address);
    await a.worker.call('befriend', b.address);
    const far = await a.worker.call('connect', atR, { hops: 3, gateway: b.peerId });
    stage.check('and over B and R', await sendBoth(stage, a, n, far.id), []);
    stage.check('N has no TCP connection but that to R', await lab.host('N').neighbours(), ['151.101.5.5']);

    // The seed's D-A-B-C: N's connection to S is itself relayed, through R.
    await r.worker.call('befriend', s.address);
    const { kind } = await n.worker.call('connect', s.address, { hops: 2, gateway: r.peerId });
    stage.check('N has a connection to S that is relayed by R', kind, 'relayed');
    await a.worker.call('befriend', s.address);
    const nested = await a.worker.call('connect', n.peerId, { hops: 2, gateway: s.peerId });
    stage.check('A reaches N over S, which uses that connection', await sendBoth(stage, a, n, nested.id), []);
    const carried = (await r.worker.call('status')).relayLinks.find(({ nextHop }) => nextHop?.peerId === s.peerId);
    stage.check('R, one hop more than A knows of, sees that link as one from N to S', carried?.previousHop.peerId, n.peerId);
    stage.check('N still has no other TCP connection', await lab.host('N').neighbours(), ['151.101.5.5']);
  },
};
