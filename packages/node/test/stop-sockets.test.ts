import { tcp } from '@matryoshka/transport/tcp';
import { expect, test } from 'vitest';
import { createNode, formatEndpoint } from '../src/index.ts';

/** TCP connections that keep this process alive. */
function connectionsHeld(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
}

test('nodes that are closed keep no process alive, also where handshakes had failed', async () => {
  const held = connectionsHeld();
  const [alice, bob, carol] = await Promise.all([
    createNode({ transports: [tcp()] }),
    createNode({ transports: [tcp()], listen: ['127.0.0.1:0'] }),
    createNode({ transports: [tcp()] }),
  ]);
  const place = formatEndpoint(bob.listening[0]!);
  await expect(alice.connect(`${carol.peerId}@${place}`)).rejects.toMatchObject({ code: 'session.wrong-peer' });
  await carol.connect(`${bob.peerId}@${place}`);
  expect(connectionsHeld()).toBeGreaterThan(held);
  for (const node of [alice, bob, carol]) await node.close();
  await expect.poll(connectionsHeld, { timeout: 2000 }).toBe(held);
});
