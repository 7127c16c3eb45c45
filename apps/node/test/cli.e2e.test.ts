import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Cli, run } from './cli.ts';

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';

let folder: string;
let into: string;
let file: string;
let large: string;
const started: Cli[] = [];

function start(...args: readonly string[]): Cli {
  const cli = new Cli(args);
  started.push(cli);
  return cli;
}

/** Starts a receiver; resolves with it and its address. */
async function receiver(...args: readonly string[]): Promise<{ readonly cli: Cli; readonly address: string; readonly peerId: string }> {
  const cli = start('receive', '--listen', '127.0.0.1:0', '--into', into, '--json', ...args);
  const { peerId, listening } = await cli.event('ready');
  return { cli, peerId, address: `${peerId}@${listening[0]}` };
}

/** Waits until `condition` holds: what another process does on its disk tells nobody. */
async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 15_000;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error('it did not happen in time');
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'matryoshka-cli-'));
  file = join(folder, 'photo.jpg');
  writeFileSync(file, randomBytes(3_000_000));
  large = join(folder, 'large.bin');
  writeFileSync(large, '');
  truncateSync(large, 600_000_000);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  into = mkdtempSync(join(folder, 'into-'));
});
afterEach(async () => {
  for (const { child } of started) child.kill('SIGKILL');
  await Promise.all(started.splice(0).map(({ exited }) => exited));
});

describe('send and receive', () => {
  test('a file arrives whole, and both ends say the same digest', async () => {
    const { cli, address } = await receiver('--once');
    const sender = await run('send', file, address, '--json', '--traffic', 'plain');
    expect(await sender.exited, sender.stderr).toBe(0);
    expect(await cli.exited).toBe(0);
    expect(sender.all('connected')).toMatchObject([{ connection: { traffic: { preset: 'plain' } } }]);
    const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
    expect(sender.all('sent')).toEqual([expect.objectContaining({ size: 3_000_000, sha256, storedAs: 'photo.jpg' })]);
    expect(cli.all('received')).toEqual([expect.objectContaining({ size: 3_000_000, sha256, file: join(into, 'photo.jpg') })]);
    expect(readFileSync(join(into, 'photo.jpg')).equals(readFileSync(file))).toBe(true);
    expect(readdirSync(into)).toEqual(['photo.jpg']);
    for (const line of [...sender.stdout.trimEnd().split('\n'), ...cli.stdout.trimEnd().split('\n')])
      expect(() => JSON.parse(line) as unknown).not.toThrow();
  });

  test('people read what happened; a second file of the same name gets a number', async () => {
    const { address } = await receiver();
    const first = await run('send', file, address, '--traffic', 'private');
    expect(first.stdout).toContain('sent photo.jpg: 3,000,000 bytes');
    expect(first.stdout).toMatch(/SHA-256 [0-9a-f]{64}, the same at both ends/);
    const second = await run('send', file, address);
    expect(second.stdout).toContain('stored as photo (1).jpg');
    expect(readdirSync(into).toSorted()).toEqual(['photo (1).jpg', 'photo.jpg']);
  });

  test('only the named sender is heard, by its identity', async () => {
    const identity = join(folder, 'sender.key');
    const known = start('up', '--identity', identity, '--json');
    const { peerId } = await known.event('ready');
    expect(statSync(identity).mode & 0o777).toBe(0o600);
    const { address } = await receiver('--from', peerId);
    const stranger = await run('send', file, address, '--json');
    expect(await stranger.exited).toBe(1);
    expect(stranger.error?.code).toBe('file.sender-refused');
    const nobody = await run('send', file, address, '--json', '--anonymous');
    expect(nobody.error?.code).toBe('session.anonymous-refused');
    expect(readdirSync(into)).toEqual([]);
    const friend = await run('send', file, address, '--identity', identity);
    expect(await friend.exited, friend.stderr).toBe(0);
    expect(readdirSync(into)).toEqual(['photo.jpg']);
  });
});

describe('who may come', () => {
  test('a hidden node keeps its static key over restarts, and is called by it', async () => {
    const identity = join(folder, 'hidden.key');
    const hidden = (port: string): ReturnType<typeof receiver> =>
      receiver('--hidden', '--identity', identity, '--listen', `127.0.0.1:${port}`);
    const before = await hidden('0');
    const ready = await before.cli.event('ready');
    before.cli.child.kill('SIGTERM');
    await before.cli.exited;
    const { cli, address } = await hidden('0');
    expect((await cli.event('ready')).staticKey).toBe(ready.staticKey);
    const [peerId, place] = address.split('@') as [string, string];
    const friend = await run('send', file, `${peerId}+${ready.staticKey}@${place}`, '--json');
    expect(await friend.exited, friend.stderr).toBe(0);
    const other = await run('send', file, address, '--static-key', ready.staticKey, '--json');
    expect(await other.exited, other.stderr).toBe(0);
    const wrong = await run('send', file, address, '--static-key', peerId, '--json');
    expect([await wrong.exited, wrong.error?.code]).toEqual([2, 'usage']);
    expect(wrong.error?.message).toContain('is not a static key: it must begin with mts1');
  });

  test('addresses that are denied get nowhere; networks that are none are wrong usage', async () => {
    const { address } = await receiver('--deny', '127.0.0.2/32', '--allow', '127.0.0.0/8');
    const denied = start('send', file, address, '--dial-from', '127.0.0.2', '--json');
    const friend = await run('send', file, address, '--dial-from', '127.0.0.3', '--json');
    expect(await friend.exited, friend.stderr).toBe(0);
    const wrong = await run('up', '--deny', '127.0.0.1/8', '--json');
    expect([await wrong.exited, wrong.error?.code]).toEqual([2, 'usage']);
    const nothing = await run('up', '--deny', '10.0.0.0/8', '--allow', '10.1.0.0/16', '--json');
    expect([await nothing.exited, nothing.error?.code]).toEqual([1, 'config.invalid']);
    expect(nothing.error?.message).toContain('access.allow');
    // It is told nothing, and waits for an answer still.
    expect([denied.all('connecting').length, denied.all('connected').length, denied.child.exitCode]).toEqual([1, 0, null]);
  });
});

describe('what goes wrong gets a reason, at once', () => {
  test('a file that cannot be read, a peer that is not known, a wrong call', async () => {
    const missing = await run('send', join(folder, 'nothing'), '127.0.0.1:9', '--json');
    expect(await missing.exited).toBe(1);
    expect(missing.error).toEqual({ code: 'file.unreadable', message: expect.stringContaining('there is no such file') });
    const directory = await run('send', folder, '127.0.0.1:9');
    expect(directory.stderr).toContain('it is a directory');
    const { peerId } = await receiver();
    const unknown = await run('send', file, peerId, '--json');
    expect(await unknown.exited).toBe(1);
    expect(unknown.error?.code).toBe('node.peer-unknown');
    const wrong = await run('send', file, 'nonsense', '--json');
    expect(await wrong.exited).toBe(2);
    expect(wrong.error?.code).toBe('usage');
    const loud = await run('send', file, '127.0.0.1:9', '--traffic', 'loud', '--json');
    expect(await loud.exited).toBe(2);
    expect(loud.error?.message).toContain('plain, standard, private');
    const exposed = join(folder, 'exposed.key');
    writeFileSync(exposed, 'ab'.repeat(32), { mode: 0o644 });
    const refused = await run('up', '--identity', exposed, '--json');
    expect(await refused.exited).toBe(1);
    expect(refused.error?.code).toBe('config.secret-exposed');
  });

  test('another node than the expected one, a destination that is down, a port in use', async () => {
    const [one, other] = await Promise.all([receiver(), receiver()]);
    const at = one.address.split('@')[1] as string;
    const wrong = await run('send', file, `${other.peerId}@${at}`, '--json');
    expect(await wrong.exited).toBe(1);
    expect(wrong.error?.code).toBe('session.wrong-peer');
    const taken = await run('up', '--listen', at, '--json');
    expect(await taken.exited).toBe(1);
    expect(taken.error).toEqual({ code: 'transport.listen-failed', message: expect.stringContaining(at) });
    other.cli.child.kill('SIGTERM');
    expect(await other.cli.exited).toBe(0);
    const down = await run('send', file, other.address, '--json');
    expect(down.error?.code).toBe('transport.dial-failed');
    expect(readdirSync(into)).toEqual([]);
  });

  test('a node that does not receive, and one that does not relay', async () => {
    const up = start('up', '--listen', '127.0.0.1:0', '--json');
    const { peerId, listening } = await up.event('ready');
    const address = `${peerId}@${listening[0]}`;
    const unserved = await run('send', file, address, '--json');
    expect(unserved.error?.code).toBe('stream.unknown-protocol');
    const unrelayed = await run('send', file, address, '--json', '--hops', '1');
    expect(unrelayed.error?.code).toBe('relay.disabled');
  });

  test('a directory that cannot be written to: at the start, and while it runs', async () => {
    const nowhere = await run('receive', '--into', join(folder, 'nowhere'), '--json');
    expect(await nowhere.exited).toBe(1);
    expect(nowhere.error?.code).toBe('file.directory');
    const { cli, address } = await receiver();
    rmSync(into, { recursive: true });
    const sender = await run('send', file, address, '--json');
    expect(await sender.exited).toBe(1);
    expect(sender.error?.code).toBe('file.cannot-write');
    expect(sender.error?.message).not.toContain(into);
    expect((await cli.event('receive-failed')).error.code).toBe('file.cannot-write');
    mkdirSync(into);
    expect(await (await run('send', file, address)).exited, 'and it goes on when the directory is back').toBe(0);
  });

  test.skipIf(!isRoot)('a full disk (needs root for a small file system)', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', into]);
    try {
      const { cli, address } = await receiver();
      const sender = await run('send', file, address, '--json');
      expect(await sender.exited).toBe(1);
      expect(sender.error?.code).toBe('file.no-space');
      expect((await cli.event('receive-failed')).error.code).toBe('file.no-space');
      expect(readdirSync(into)).toEqual([]);
      cli.child.kill('SIGTERM');
      await cli.exited;
    } finally {
      execFileSync('umount', ['-l', into]);
    }
  });
});

describe('in the middle of a file', () => {
  test('the receiver is killed: the sender says so, and nothing has the final name', async () => {
    const { cli, address } = await receiver();
    const sender = start('send', large, address, '--json', '--grace', '1');
    await sender.event('progress', 2);
    cli.child.kill('SIGKILL');
    expect(await sender.exited).toBe(1);
    expect(sender.error?.code).toBe('session.link-lost');
    expect(readdirSync(into)).not.toContain('large.bin');
  });

  test('the receiver is interrupted: typed at the sender, and nothing is left', async () => {
    const { cli, address } = await receiver();
    const sender = start('send', large, address, '--json');
    await sender.event('progress', 2);
    cli.child.kill('SIGINT');
    expect(await cli.exited).toBe(0);
    expect(await sender.exited).toBe(1);
    // The reason and the goodbye go out together; either says what happened.
    expect(['file.stopped', 'shutdown']).toContain(sender.error?.code);
    expect(readdirSync(into)).toEqual([]);
  });

  test('the sender is interrupted, then another is killed: nothing is left, and the receiver goes on', async () => {
    const { cli, address } = await receiver('--grace', '1');
    const interrupted = start('send', large, address, '--json');
    await interrupted.event('progress', 2);
    interrupted.child.kill('SIGINT');
    expect(await interrupted.exited).toBe(130);
    await until(() => readdirSync(into).length === 0);
    const killed = start('send', large, address, '--json');
    await killed.event('progress', 2);
    killed.child.kill('SIGKILL');
    await killed.exited;
    await until(() => readdirSync(into).length === 0);
    expect(cli.all('received')).toEqual([]);
    expect(await (await run('send', file, address)).exited).toBe(0);
    expect(readdirSync(into)).toEqual(['photo.jpg']);
  });
});

describe('up', () => {
  test('keeps trying to reach its peers, and answers on standard input', async () => {
    const { cli, address, peerId } = await receiver();
    cli.child.kill('SIGTERM');
    await cli.exited;
    const up = start('up', '--peer', address, '--json');
    const failed = await up.event('peer-failed');
    expect(failed).toMatchObject({ peer: address, error: { code: 'transport.dial-failed' } });
    expect(failed.retryInMs).toBeGreaterThan(0);
    up.child.stdin.write('status\n');
    expect((await up.event('status')).status.connections).toEqual([]);
    const { address: second, peerId: secondId } = await receiver();
    up.child.stdin.write(`connect ${second}\n`);
    expect((await up.event('connection')).connection.peerId).toBe(secondId);
    expect(secondId).not.toBe(peerId);
    up.child.stdin.write('dance\n');
    await until(() => up.stderr.includes('no such command'));
  });

  test('ends with its parent where it was told to', async () => {
    const up = start('up', '--json', '--exit-with-parent');
    await up.event('ready');
    up.child.stdin.end();
    expect(await up.exited).toBe(0);
  });

  test('every command explains itself, with an example', async () => {
    const [program, ...commands] = await Promise.all([run('--help'), ...['up', 'send', 'receive'].map((name) => run(name, '--help'))]);
    expect(program.stdout).toContain('Commands:');
    for (const cli of [program, ...commands]) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await cli.exited).toBe(0);
      expect(cli.stdout).toMatch(/Examples?:\n\s+\$ matryoshka/);
    }
    expect((await run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
