import { runTransfers } from '@matryoshka/e2e';
import type { Member } from '../cast/cast.ts';
import type { Scenario } from '../stage.ts';
import { until } from '../until.ts';

const BYTES = 24 * 2 ** 20;
/** Writers pause so often that the transfer takes a while. */
const PAUSE_CHANCE = 1 / 3;

/** A relay is there no more, and nobody says so. */
export const vanish: Scenario = {
  name: 'vanish',
  title: 'R13: the cable of a relay is pulled in the middle of a transfer, which goes on over another one',
  drawing: `
internet
├─ A     66.171.45.90
├─ B     201.1.157.11
├─ C     151.101.5.5
├─ D     180.30.30.20
├─ F     93.184.20.7
└─ G     8.8.4.4
`,
  async play(stage) {
    const { cast, lab } = stage;
    const [a, b, d, ...second] = (await cast.startAll(['A', 'B', 'D', 'C', 'F', 'G'])) as [Member, Member, Member, ...Member[]];
    await a.worker.call('befriend', b.address);
    for (const member of second) await b.worker.call('befriend', member.address);
    const { id } = await a.worker.call('connect', d.address, { hops: 3, gateway: b.peerId });
    const carrying = async (): Promise<string | undefined> => {
      const { relayLinks } = await b.worker.call('status');
      const peerId = relayLinks.find(({ state }) => state === 'open')?.nextHop?.peerId;
      return second.find((member) => member.peerId === peerId)?.name;
    };
    const first = await carrying();
    stage.check('B chose one of three', first !== undefined, true);
    const transferring = runTransfers(cast.crew, [
      {
        name: 'A to D',
        opener: a.worker,
        acceptor: d.worker,
        connectionId: id,
        forwardBytes: BYTES,
        backwardBytes: 0,
        seed: 1,
        pauseChance: PAUSE_CHANCE,
      },
    ]);
    transferring.catch(() => {});
    await until(() => (d.worker.report.figures.receivedBytes ?? 0) > BYTES / 8);
    await lab.unplug(first as string);
    const [outcome] = await transferring;
    stage.check('no byte is lost, repeated or changed', outcome?.faults, []);
    // B itself may learn of it later than those who wait for their bytes.
    stage.check('they went on over another relay', await until(async () => (await carrying()) !== first), true);
    const pauseMs = Math.round(outcome?.acceptor.longestPauseMs ?? 0);
    stage.check(`they paused meanwhile (${pauseMs} ms)`, pauseMs > 1000, true);
  },
};
