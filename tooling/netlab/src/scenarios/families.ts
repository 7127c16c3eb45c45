import type { Member } from '../cast/cast.ts';
import type { Scenario } from '../stage.ts';
import { sendBoth } from './send-both.ts';

/** Whoever has both families relays between those that have one each. */
export const families: Scenario = {
  name: 'families',
  title: 'A, which has IPv4 only, reaches D, which has IPv6 only, over relays that have both',
  drawing: `
internet
├─ old
│  └─ A   66.171.45.90
├─ both
│  ├─ B   201.1.157.11    2a00:1450:4001::11
│  └─ C   151.101.5.5     2a04:4e42:5::5
└─ new
   └─ D   2a03:2880:30::20
`,
  async play(stage) {
    const [a, b, c, d] = (await stage.cast.startAll(['A', 'B', 'C', 'D'])) as [Member, Member, Member, Member];
    await a.worker.call('befriend', b.address);
    await b.worker.call('befriend', c.address);
    const { id, kind } = await a.worker.call('connect', d.address, { hops: 3 });
    stage.check('the connection is relayed', kind, 'relayed');
    stage.check('bytes go both ways, none is lost or changed', await sendBoth(stage, a, d, id), []);
    const [seenByD] = (await d.worker.call('status')).connections.filter((each) => each.kind === 'relayed');
    stage.check('D sees the IPv6 address of C, and a relay port', /^\[2a04:4e42:5::5\]:\d+:\d+$/.test(seenByD?.remote ?? ''), true);
    stage.check('its kernel knows no other', await stage.lab.host('D').neighbours(), ['2a04:4e42:5::5']);
    stage.check('that of A knows B alone', await stage.lab.host('A').neighbours(), ['201.1.157.11']);
    const path = await a.worker.call('connect', d.address, { path: [b.address, c.address] });
    stage.check('a circuit gets there, too', path.kind, 'telescoped');
  },
};
