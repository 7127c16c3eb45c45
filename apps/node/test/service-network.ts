import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cli, run } from './cli.ts';

/** A node of a test: a process, its data folder, and how others name it. */
export interface TestNode {
  readonly cli: Cli;
  readonly data: string;
  readonly peerId: string;
  /** `peerId@host:port`. */
  readonly address: string;
}

/** Real nodes on addresses of different networks of this machine, and what runs on top of them. */
export class ServiceNetwork implements AsyncDisposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'matryoshka-services-'));
  readonly #started: Cli[] = [];

  /** Starts a node. @param network - the second byte of its address, 127.x.0.1 */
  async node(name: string, network: number, ...args: readonly string[]): Promise<TestNode> {
    const data = join(this.folder, name);
    const host = `127.${network}.0.1`;
    const cli = this.start('up', '--data', data, '--json', '--listen', `${host}:0`, '--dial-from', host, ...args);
    const { peerId, listening } = await cli.event('ready');
    return { cli, data, peerId, address: `${peerId}@${listening[0]}` };
  }

  /** Starts a command that runs until it is ended. */
  start(...args: readonly string[]): Cli {
    const cli = new Cli(args);
    this.#started.push(cli);
    return cli;
  }

  /** Starts a command that holds something for the node of `data`; resolves with it and where it listens. */
  async hold(data: string, ...args: readonly string[]): Promise<{ readonly cli: Cli; readonly host: string; readonly port: number }> {
    const cli = this.start(...args, '--data', data, '--json');
    const { listen } = (await cli.event('listening' as never)) as { readonly listen: string };
    const at = listen.lastIndexOf(':');
    return { cli, host: listen.slice(0, at), port: Number(listen.slice(at + 1)) };
  }

  /** Runs a command to its end with the node of `data`; throws where it fails. */
  async run(data: string, ...args: readonly string[]): Promise<Cli> {
    const cli = await run(...args, '--data', data, '--json');
    if (cli.child.exitCode !== 0) throw new Error(`${args.join(' ')}: ${cli.stderr}`);
    return cli;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.#started) child.kill('SIGKILL');
    await Promise.all(this.#started.map(({ exited }) => exited));
    rmSync(this.folder, { recursive: true, force: true });
  }
}
