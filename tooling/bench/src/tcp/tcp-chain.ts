import { chainHost } from '../chain-host.ts';
import type { PeerProcess } from '../processes/peer-process.ts';
import type { ProcessGroup } from '../processes/process-group.ts';
import type { Setting } from '../scenario.ts';
import type { Line } from '../workloads.ts';
import { certificate } from './certificate.ts';
import type { Certificate } from './sockets.ts';
import type { TcpProxyCommands } from './tcp-proxy.ts';
import type { TcpSinkCommands } from './tcp-sink.ts';
import type { TcpSourceCommands } from './tcp-source.ts';

export interface TcpLine extends Line {
  readonly source: PeerProcess<TcpSourceCommands>;
}

/** A chain of this setting: with `--quick` one for all scenarios that want the same. */
export async function tcpLineFor(setting: Setting, proxies: number, security: 'plain' | 'tls'): Promise<TcpLine> {
  const start = async (group: ProcessGroup): Promise<TcpLine> =>
    tcpChain(group, proxies, security === 'tls' ? await certificate() : undefined);
  return setting.quick ? setting.shared.get(`${security} with ${proxies} proxies`, start) : start(setting.group);
}

/** Source, so many proxies and sink, joined by TCP, or by TLS with a certificate. */
async function tcpChain(group: ProcessGroup, proxies: number, shown: Certificate | undefined): Promise<TcpLine> {
  const source = group.start<TcpSourceCommands>('source', new URL('tcp-source.ts', import.meta.url));
  const relays = Array.from({ length: proxies }, (_, i) =>
    group.start<TcpProxyCommands>(`proxy ${i + 1}`, new URL('tcp-proxy.ts', import.meta.url)),
  );
  const sink = group.start<TcpSinkCommands>('sink', new URL('tcp-sink.ts', import.meta.url));
  const secured = shown && { certificate: shown };
  let host = chainHost(proxies + 1);
  let port = await group.watch(shown === undefined ? sink.call('listen', host) : sink.call('listen', host, shown));
  // From the far end on: each has to know where the next one listens.
  for (let i = proxies - 1; i >= 0; i--) {
    const proxy = relays[i] as (typeof relays)[number];
    const own = chainHost(i + 1);
    // oxlint-disable-next-line no-await-in-loop
    port = await group.watch(proxy.call('listen', { host, port, localAddress: own, ...secured }));
    host = own;
  }
  await group.watch(source.call('target', { host, port, localAddress: chainHost(0), ...secured }));
  return { group, source };
}
