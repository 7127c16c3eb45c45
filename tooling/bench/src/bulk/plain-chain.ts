import type { ProcessGroup } from '../processes/process-group.ts';
import type { Contender } from '../scenario.ts';
import type { TcpProxyCommands } from './tcp-proxy.ts';
import type { TcpSinkCommands } from './tcp-sink.ts';
import type { TcpSourceCommands } from './tcp-source.ts';
import { chainHost, measureTransfer } from './transfer.ts';

/** Source, so many proxies and sink, joined by plain TCP: what the bytes cost when nothing is protected. */
export async function plainChain(group: ProcessGroup, proxies: number): Promise<Contender> {
  const source = group.start<TcpSourceCommands>('source', new URL('tcp-source.ts', import.meta.url));
  const relays = Array.from({ length: proxies }, (_, i) =>
    group.start<TcpProxyCommands>(`proxy ${i + 1}`, new URL('tcp-proxy.ts', import.meta.url)),
  );
  const sink = group.start<TcpSinkCommands>('sink', new URL('tcp-sink.ts', import.meta.url));
  let host = chainHost(proxies + 1);
  let port = await group.watch(sink.call('listen', host));
  // From the far end on: each has to know where the next one listens.
  for (let i = proxies - 1; i >= 0; i--) {
    const own = chainHost(i + 1);
    const proxy = relays[i] as (typeof relays)[number];
    // oxlint-disable-next-line no-await-in-loop
    port = await group.watch(proxy.call('listen', own, host, port));
    host = own;
  }
  await group.watch(source.call('target', host, port, chainHost(0)));
  return { group, measure: (durationMs) => measureTransfer(group, source, durationMs) };
}
