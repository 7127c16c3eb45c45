import { chainHost } from '../chain-host.ts';
import type { PeerProcess } from '../processes/peer-process.ts';
import type { ProcessGroup } from '../processes/process-group.ts';
import type { Line } from '../workloads.ts';
import type { Libp2pPeerCommands } from './libp2p-peer.ts';
import { libp2pEntry } from './modules.ts';

/** Sender, circuit relay and receiver of js-libp2p. */
export async function libp2pRelay(group: ProcessGroup): Promise<Line> {
  const start = (name: string): PeerProcess<Libp2pPeerCommands> => group.start(name, new URL('libp2p-peer.ts', import.meta.url));
  const [source, relay, receiver] = [start('sender'), start('relay'), start('receiver')];
  const entry = libp2pEntry();
  const relayAt = await group.watch(relay.call('relay', entry, chainHost(1)));
  const receiverAt = await group.watch(receiver.call('receiver', entry, relayAt));
  await group.watch(source.call('sender', entry, receiverAt));
  return { group, source };
}
