import { simulatedProvider } from '@matryoshka/simulation';
import type { NodeOptions } from '../src/index.ts';
import { TestNetwork, serveEcho } from './network.ts';

const provider = simulatedProvider();

/** A network of relays R1… and A and Z, all of which A has the descriptors of; Z serves an echo. */
export async function networkOf(
  seed: number,
  relays: number,
  a: Partial<NodeOptions> = {},
  relay: (n: number) => Partial<NodeOptions> = () => ({}),
): Promise<TestNetwork> {
  const net = new TestNetwork(seed, { provider });
  await net.start('A', '10.200.0.1', a);
  await net.start('Z', '10.201.0.1', { relay: { enabled: true, forward: false }, directory: { publish: true } });
  serveEcho(net.node('Z'));
  for (let n = 1; n <= relays; n++) await net.start(`R${n}`, `10.${n}.0.1`, relay(n));
  for (const name of net.names) shareDescriptor(net, name);
  return net;
}

/** A gets the descriptor of a node, as if by an exchange. */
function shareDescriptor(net: TestNetwork, name: string): void {
  const descriptor = net.node(name).directory.get(net.node(name).peerId);
  if (descriptor !== undefined) net.node('A').directory.publish(descriptor);
}
