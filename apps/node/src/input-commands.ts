import { createInterface } from 'node:readline';
import type { MatryoshkaNode } from '@matryoshka/node';
import { keepConnected } from './keep-connected.ts';
import { checkPeer } from './node-flags.ts';
import type { Output } from './output.ts';

/**
 * Obeys lines on standard input, for programs that run a node with `--json`: `status` asks for a status event, `connect
 * peerId@host:port` is `--peer` later on. Until it is disposed of it keeps the process alive.
 */
export function obeyInput(node: () => MatryoshkaNode, output: Output, signal: AbortSignal): Disposable {
  // A terminal is for people; reading it would stop a command in the background.
  if (!output.json || process.stdin.isTTY) return { [Symbol.dispose]: () => {} };
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const [command, argument, ...more] = line.trim().split(/\s+/);
    if (command === 'status' && argument === undefined) output.event({ event: 'status', status: node().status() });
    else if (command === 'connect' && argument !== undefined && more.length === 0) connect(node(), argument, output, signal);
    else if (command !== '')
      output.complain(
        `no such command on standard input: ${JSON.stringify(line.slice(0, 80))}`,
        'known are: status; connect peerId@host:port',
      );
  });
  return {
    [Symbol.dispose]: () => {
      lines.close();
      process.stdin.destroy();
    },
  };
}

function connect(node: MatryoshkaNode, peer: string, output: Output, signal: AbortSignal): void {
  try {
    checkPeer(peer);
  } catch (error) {
    output.complain((error as Error).message);
    return;
  }
  void keepConnected(node, peer, output, signal);
}
