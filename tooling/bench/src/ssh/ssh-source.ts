import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Transfer } from '../channel/sender.ts';
import { WRITE_LENGTH } from '../channel/protocol.ts';
import { Pump } from '../channel/pump.ts';
import { serveRole } from '../processes/role.ts';

// Writes into a chain of SSH connections that is already open; `wc` counts at its end.

/** What the role answers to. */
export interface SshSourceCommands {
  /** The client program, what it needs to find the open chain, and the last hop's name. */
  target(program: string, options: readonly string[], host: string): void;
  /** Sends bulk data over so many channels of the chain at once. */
  transfer(durationMs: number): Promise<Transfer>;
}

let command: { readonly program: string; readonly args: readonly string[] } | undefined;

serveRole<SshSourceCommands>({
  target(program, options, host) {
    command = { program, args: [...options, host, 'echo ready; exec wc -c'] };
  },
  async transfer(durationMs) {
    if (command === undefined) throw new Error('no target');
    const child = spawn(command.program, command.args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let out = '';
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const closed = once(child, 'close');
    // Logging in is not part of the transfer.
    await Promise.race([once(child.stdout, 'data'), closed]);
    if (!out.startsWith('ready')) throw new Error(`ssh did not get through: ${said}`);
    const begunAt = performance.now();
    const pump = new Pump(child.stdin, WRITE_LENGTH, begunAt + durationMs, () => child.stdin.end());
    child.stdin.on('drain', () => pump.run());
    pump.run();
    await closed;
    const seconds = (performance.now() - begunAt) / 1000;
    const received = Number(out.slice('ready'.length));
    if (received !== pump.bytes) throw new Error(`${pump.bytes} bytes were sent, ${received} came ${said}`);
    return { bytes: received, writes: pump.writes, seconds };
  },
});
