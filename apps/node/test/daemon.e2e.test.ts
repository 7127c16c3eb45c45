import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Cli, run } from './cli.ts';
import { type HttpAnswer, type JsonSchema, TestDaemon, configure, http, raw, undocumented } from './daemon.ts';

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';

let folder: string;
const daemons: TestDaemon[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'matryoshka-daemon-'));
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  await Promise.all(daemons.splice(0).map((daemon) => daemon.stop('SIGKILL')));
});

async function start(data: string, ...args: readonly string[]): Promise<TestDaemon> {
  const daemon = await TestDaemon.start(data, ...args);
  daemons.push(daemon);
  return daemon;
}

/** Waits until `condition` holds. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 20_000;
  // oxlint-disable-next-line no-await-in-loop
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error('it did not happen in time');
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

interface Peer {
  readonly id: string;
  readonly kind: string;
  readonly peerId: string;
  readonly hops?: readonly { readonly peerId: string }[];
}

test('three machines: init, up, invite, join; then relayed and telescoped connections, and a file', async () => {
  const names = ['a', 'b', 'c'];
  const [one, two, three] = names.map((name) => join(folder, name)) as [string, string, string];
  const made = await Promise.all(
    [one, two, three].map((data, index) =>
      run('init', '--yes', '--relay', '--listen', `127.${71 + index}.0.1:0`, '--data', data, '--json'),
    ),
  );
  const ids = made.map(({ stdout }) => (JSON.parse(stdout) as { peerId: string }).peerId);
  for (const data of [one, two, three]) {
    expect(statSync(data).mode & 0o777).toBe(0o700);
    for (const name of ['config.toml', 'identity.key', 'network.key']) expect(statSync(join(data, name)).mode & 0o777, name).toBe(0o600);
  }
  const again = await run('init', '--yes', '--data', one, '--json');
  expect([await again.exited, again.error?.code]).toEqual([1, 'init.done']);

  // On one machine each relay has to be allowed to dial loopback addresses.
  const [a, b, c] = (await Promise.all(
    [one, two, three].map((data) => start(data, '--allow-dial', 'loopback', '--set', 'access.exempt=127.0.0.0/8')),
  )) as [TestDaemon, TestDaemon, TestDaemon];
  const { invite } = await a.ask<{ invite: string }>('invite');
  const joined = await Promise.all([b, c].map((daemon) => daemon.ask<{ connected: boolean }>('join', invite)));
  for (const report of joined) expect(report).toEqual({ peerId: ids[0], networkChanged: true, connected: true, running: true });
  expect(readFileSync(join(two, 'network.key'), 'utf8')).toBe(readFileSync(join(one, 'network.key'), 'utf8'));

  // Both are known to A, which stands between them.
  const relayed = await b.ask<Peer>('connect', ids[2] as string, '--hops', '2');
  expect(relayed).toMatchObject({ kind: 'relayed', peerId: ids[2], authenticated: true, state: 'open' });
  const circuit = await b.ask<Peer>('circuit', 'build', await c.address(), '--path', await a.address());
  expect(circuit.hops?.map(({ peerId }) => peerId)).toEqual([ids[0], ids[2]]);
  const [peers, circuits, status] = await Promise.all([
    b.ask<Peer[]>('peers'),
    b.ask<Peer[]>('circuit', 'list'),
    a.ask<{ node: { relayLinks: { bytesForward: number }[] } }>('status'),
  ]);
  expect(peers.map(({ kind }) => kind).toSorted()).toContain('telescoped');
  expect(circuits.map(({ id }) => id)).toEqual([circuit.id]);
  expect(status.node.relayLinks.length).toBe(2);
  for (const { bytesForward } of status.node.relayLinks) expect(bytesForward).toBeGreaterThan(0);
  await b.ask('circuit', 'close', circuit.id);

  // A file, through the nodes that run, over the relayed connection.
  const into = join(folder, 'into');
  mkdirSync(into);
  const content = randomBytes(3_000_000);
  writeFileSync(join(folder, 'photo.jpg'), content);
  const receiving = new Cli(['receive', '--data', three, '--into', into, '--once', '--json']);
  await until(async () => ((await c.http('GET', '/v1/status')).json.features as { files: { into: string | null } }).files.into === into);
  const sent = new Cli(['send', '--data', two, join(folder, 'photo.jpg'), ids[2] as string, '--hops', '2', '--json']);
  expect(await sent.exited, sent.stderr).toBe(0);
  expect(await receiving.exited, receiving.stderr).toBe(0);
  const sha256 = createHash('sha256').update(content).digest('hex');
  expect(sent.all('sent')).toEqual([expect.objectContaining({ sha256, storedAs: 'photo.jpg' })]);
  expect(receiving.all('received')).toEqual([expect.objectContaining({ sha256, file: join(into, 'photo.jpg') })]);
  // Nobody receives any more.
  await until(async () => ((await c.http('GET', '/v1/status')).json.features as { files: { into: string | null } }).files.into === null);

  const doctor = await run('doctor', '--data', two);
  expect(await doctor.exited, doctor.stdout).toBe(0);
  expect(doctor.stdout).toContain(`ok    peer: connected to ${ids[0]}`);

  // Nothing of others above debug: neither who they are nor where.
  for (const { cli } of [a, b, c])
    expect(cli.stderr).not.toMatch(new RegExp(ids.filter((id) => !cli.stdout.includes(`"event":"ready","peerId":"${id}"`)).join('|')));
  expect(await a.stop()).toBe(0);
  // What is kept: no lock, no socket.
  const kept = ['config.toml', 'directory', 'guards', 'identity.key', 'network.key'];
  expect(readdirSync(one).filter((name) => !kept.includes(name))).toEqual([]);
  // Whoever was connected has heard that it stops.
  await until(() => b.cli.all('disconnected').some(({ reason }) => reason.code === 'shutdown'));
});

describe('the control API', () => {
  test('refuses wrong hosts, origins and tokens, and answers what is malformed', async () => {
    const daemon = await start(configure(join(folder, 'control'), '[control]\nlisten = "127.0.0.1:0"\n'));
    const socketPath = join(daemon.data, 'control.sock');
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    expect(await daemon.http('GET', '/health')).toMatchObject({ status: 200, json: { ok: true } });
    expect((await daemon.http('GET', '/health', { headers: { Host: 'attacker.example' } })).json).toMatchObject({
      status: 421,
      code: 'control.wrong-host',
    });
    expect((await daemon.http('GET', '/health', { headers: { Origin: 'http://attacker.example' } })).status).toBe(403);
    expect((await daemon.http('GET', '/nothing')).json).toMatchObject({ status: 404, code: 'control.unknown-path' });
    expect((await daemon.http('DELETE', '/v1/status')).json).toMatchObject({ status: 405, code: 'control.unknown-method' });

    const json = { 'Content-Type': 'application/json' };
    const connecting = (body: string, headers: object = json) => daemon.http('POST', '/v1/connections', { headers, body });
    expect((await connecting('to=me', { 'Content-Type': 'application/x-www-form-urlencoded' })).status).toBe(415);
    expect((await connecting('{')).json).toMatchObject({ status: 400, code: 'control.not-json' });
    expect((await connecting('{"to":"x","hops":16,"more":1}')).json.detail).toMatch(/hops: .*15.*, not 16; body: .*more/);
    // More than fits into the socket, with its length told and without.
    const long = `"${'x'.repeat(4_000_000)}"`;
    for (const headers of [json, { ...json, 'Transfer-Encoding': 'chunked' }])
      expect((await connecting(long, headers)).json).toMatchObject({ status: 413, code: 'control.too-long' });
    expect((await connecting('{"to":"127.0.0.1:1"}')).json).toMatchObject({ status: 502, code: 'transport.dial-failed' });
    expect(await raw(socketPath, 'this is no HTTP\r\n\r\n')).toMatch(/^HTTP\/1.1 400 [^]*"code":"control.malformed"/);
    expect(await raw(socketPath, `GET /health HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 /);

    // On loopback TCP everything needs the token, in its file of mode 0600.
    const port = Number(/"url":"http:\/\/127\.0\.0\.1:(\d+)"/.exec(daemon.cli.stderr)?.[1]);
    const token = readFileSync(join(daemon.data, 'control.token'), 'utf8').trim();
    expect(statSync(join(daemon.data, 'control.token')).mode & 0o777).toBe(0o600);
    const overTcp = (headers: object) => http({ port }, 'GET', '/v1/status', { headers: { Host: `127.0.0.1:${port}`, ...headers } });
    expect((await overTcp({ Authorization: `Bearer ${token}` })).status).toBe(200);
    expect((await overTcp({})).status).toBe(401);
    expect((await overTcp({ Authorization: `Bearer ${token}`, Host: `attacker.example:${port}` })).status).toBe(421);
    expect((await overTcp({ Authorization: `Bearer ${token}`, Origin: 'http://attacker.example' })).status).toBe(403);

    // It is still there, and tells no secret.
    const all = (await Promise.all(['/v1/status', '/v1/config', '/openapi.json', '/metrics'].map((path) => daemon.http('GET', path))))
      .map(({ text }) => text)
      .join('');
    expect(all).toContain('matryoshka_connections');
    expect(all).not.toContain(token);
    expect(all).not.toContain(readFileSync(join(daemon.data, 'identity.key'), 'utf8').trim());
  });

  test('serves the dashboard to everybody on this machine, and the API to those with the token', async () => {
    const daemon = await start(configure(join(folder, 'dashboard'), ''));
    // Nobody listens before it is asked for; whoever asks again gets the same address.
    const { url } = await daemon.ask<{ url: string }>('dashboard');
    expect((await daemon.http('POST', '/v1/dashboard')).json.url).toBe(url);
    const { port, hash } = new URL(url);
    const get = (path: string, headers: object = {}): Promise<HttpAnswer> =>
      http({ port: Number(port) }, 'GET', path, { headers: { Host: `127.0.0.1:${port}`, ...headers } });
    const page = await get('/');
    expect(page.status === 200 ? page.type : page.text).toMatch(/^text\/html|The dashboard is not built/);
    expect((await get('/', { Host: `attacker.example:${port}` })).status).toBe(421);
    expect((await get('/', { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors' })).status).toBe(403);
    expect((await get('/v1/status')).status).toBe(401);
    expect((await get('/../package.json')).status).toBe(401);
    expect((await get('/v1/status', { Authorization: `Bearer ${hash.slice('#token='.length)}` })).status).toBe(200);
    // The local socket has no page, and no node but the demo's has the demo's routes.
    expect((await daemon.http('GET', '/')).status).toBe(404);
    expect((await daemon.http('GET', '/demo')).status).toBe(404);
    expect((await daemon.http('POST', '/demo/kill')).status).toBe(404);
  });

  test('tells what happens as it happens, and goes on where a reader was; counters move', async () => {
    const [one, two] = await Promise.all([
      start(configure(join(folder, 'one'), 'listen = ["127.0.0.1:0"]')),
      start(configure(join(folder, 'two'), '')),
    ]);
    const id = (
      await two.http('POST', '/v1/connections', {
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ to: await one.address() }),
      })
    ).json.id as string;
    const bytes = async () => (await two.http('GET', `/v1/connections/${id}`)).json.bytesReceived as number;
    await until(async () => (await bytes()) > 0);
    // The document says all of it.
    const [status, { paths }] = (await Promise.all(['/v1/status', '/openapi.json'].map((path) => two.http('GET', path)))).map(
      ({ json: answer }) => answer,
    ) as [object, { paths: Record<string, { get: { responses: { 200: { content: { 'application/json': { schema: JsonSchema } } } } } }> }];
    expect(undocumented(status, paths['/v1/status']?.get.responses[200].content['application/json'].schema)).toEqual([]);
    const reading = http({ socketPath: join(two.data, 'control.sock') }, 'GET', '/v1/events?after=0');
    await two.http('DELETE', `/v1/connections/${id}`);
    expect((await two.http('GET', `/v1/connections/${id}`)).json).toMatchObject({ status: 404, code: 'control.unknown-connection' });
    // A stream of events has an end when the node stops.
    expect((await two.http('POST', '/v1/stop')).status).toBe(204);
    const events = [...(await reading).text.matchAll(/^id: (\d+)\nevent: (\S+)$/gm)].map(([, number, name]) => `${number} ${name}`);
    expect(events).toEqual(['1 ready', '2 connection', '3 disconnected', '4 stopping']);
    expect(await two.cli.exited).toBe(0);
  });
});

describe('the configuration of a running node', () => {
  test('is read again on SIGHUP: what can change does, the rest is told; what is wrong changes nothing', async () => {
    const data = configure(join(folder, 'reload'), 'listen = ["127.0.0.1:0"]\n');
    const daemon = await start(data);
    configure(
      data,
      'listen = ["127.0.0.1:0", "127.0.0.2:0"]\nacceptAnonymous = false\n[access]\ndeny = ["10.0.0.0/8"]\n[relay]\nenabled = true\n',
    );
    daemon.cli.child.kill('SIGHUP');
    expect(await daemon.cli.event('reloaded')).toMatchObject({
      changed: ['acceptAnonymous', 'relay.enabled', 'access.deny'],
      needRestart: ['listen'],
    });
    const status = async () =>
      (await daemon.http('GET', '/v1/status')).json as {
        needRestart: string[];
        node: { relayEnabled: boolean; listening: string[] };
        access: { access: { deny: string[] } };
      };
    expect(await status()).toMatchObject({
      needRestart: ['listen'],
      node: { relayEnabled: true },
      access: { acceptAnonymous: false, access: { deny: ['10.0.0.0/8'] } },
    });

    configure(data, 'listen = ["127.0.0.1:0"]\nacceptAnonymous = 7\n');
    daemon.cli.child.kill('SIGHUP');
    await until(() => daemon.cli.stderr.includes('acceptAnonymous: must be true or false, not 7'));
    expect((await daemon.http('POST', '/v1/reload')).json).toMatchObject({ status: 422, code: 'config.invalid' });
    expect((await daemon.http('POST', '/v1/restart')).status).toBe(422);
    expect((await status()).access.access.deny).toEqual(['10.0.0.0/8']);

    configure(data, 'listen = ["127.0.0.1:0", "127.0.0.2:0"]\n');
    await daemon.ask('config', 'reload', '--restart').catch(() => undefined);
    expect((await status()).node.listening.length).toBe(2);
    expect((await status()).needRestart).toEqual([]);
  });
});

describe('what goes wrong gets a reason and the next step', () => {
  test('configuration, keys and folders', async () => {
    const cases: readonly (readonly [data: string, code: string, says: RegExp])[] = [
      [configure(join(folder, 'broken'), 'listen = ['), 'config.invalid', /config\.toml:\d+:\d+: this is no TOML/],
      [
        configure(join(folder, 'unknown'), '[relay]\nenable = true'),
        'config.invalid',
        /relay\.enable: unknown, known in relay are enabled/,
      ],
      [
        configure(join(folder, 'range'), 'maxHandshakes = 0'),
        'config.invalid',
        /maxHandshakes: must be a whole number from 1 to 65536, not 0/,
      ],
      [configure(join(folder, 'key'), ''), 'config.secret-exposed', /chmod 600/],
      [configure(join(folder, 'open'), ''), 'daemon.folder-exposed', /chmod go-w/],
      [configure(join(folder, 'token'), '[control]\nlisten = "127.0.0.1:0"'), 'config.secret-exposed', /chmod 600/],
      [configure(join(folder, 'into'), '[files]\ninto = "/nowhere"'), 'file.directory', /there is no such directory/],
      [join(folder, 'x'.repeat(100)), 'daemon.socket', /too long/],
      [configure(join(folder, 'socket'), `[control]\nsocket = "${join(folder, 'precious')}"`), 'daemon.socket', /is taken/],
    ];
    writeFileSync(join(folder, 'key', 'identity.key'), 'ab'.repeat(32), { mode: 0o644 });
    chmodSync(join(folder, 'open'), 0o777);
    writeFileSync(join(folder, 'token', 'control.token'), 'x'.repeat(43), { mode: 0o644 });
    writeFileSync(join(folder, 'precious'), 'precious');
    await Promise.all(
      cases.map(async ([data, code, says]) => {
        const up = await run('up', '--data', data, '--json');
        expect([await up.exited, up.error?.code], `${data}: ${up.stderr}`).toEqual([1, code]);
        expect(up.stderr).toMatch(says);
      }),
    );
    expect(readFileSync(join(folder, 'precious'), 'utf8')).toBe('precious');
  });

  test('a node that does not run, a busy folder, a port in use; a killed node is started again as if nothing was', async () => {
    const data = configure(join(folder, 'killed'), 'listen = ["127.0.0.1:0"]\n');
    const absent = await run('status', '--data', data, '--json');
    expect([await absent.exited, absent.error?.code]).toEqual([1, 'control.not-running']);
    expect(absent.stderr).toContain('matryoshka up');
    const first = await start(data);
    const { peerId, listening } = await first.cli.event('ready');
    const [busy, taken] = await Promise.all([
      run('up', '--data', data, '--json'),
      run('up', '--data', configure(join(folder, 'taken'), `listen = ["${listening[0]}"]\n`), '--json'),
    ]);
    expect([await busy.exited, busy.error?.code]).toEqual([1, 'daemon.busy']);
    expect(busy.stderr).toContain(`process ${first.cli.child.pid}`);
    expect([await taken.exited, taken.error?.code]).toEqual([1, 'transport.listen-failed']);

    // Killed in the middle of a file that it sends for somebody.
    writeFileSync(join(folder, 'large.bin'), '');
    truncateSync(join(folder, 'large.bin'), 2_000_000_000);
    const receiver = await start(
      configure(join(folder, 'receiver'), `listen = ["127.0.0.1:0"]\n[files]\ninto = "${folder}"\n[resume]\ngraceMs = 500\n`),
    );
    const sender = new Cli(['send', '--data', data, join(folder, 'large.bin'), await receiver.address(), '--json']);
    await sender.event('progress');
    await first.stop('SIGKILL');
    expect([await sender.exited, sender.error?.code]).toEqual([1, 'control.lost']);
    expect(existsSync(join(data, 'lock'))).toBe(true);
    const second = await start(data);
    expect((await second.cli.event('ready')).peerId).toBe(peerId);
    expect((await second.http('GET', '/health')).status).toBe(200);
    await receiver.cli.event('receive-failed');
  });

  test('an invite that was changed, one to another network, and one for a machine where nothing is yet', async () => {
    const [one, two] = await Promise.all([
      start(configure(join(folder, 'net-one'), 'listen = ["127.0.0.1:0"]')),
      start(configure(join(folder, 'net-two'), 'listen = ["127.0.0.1:0"]')),
    ]);
    writeFileSync(join(folder, 'net-one', 'network.key'), randomBytes(32).toString('hex'), { mode: 0o600 });
    await one.ask('config', 'reload', '--restart').catch(() => undefined);
    const { invite } = await one.ask<{ invite: string }>('invite');
    const changed = await run('join', `${invite.slice(0, -1)}x`, '--data', two.data, '--json');
    expect([await changed.exited, changed.error?.code]).toEqual([1, 'invite.invalid']);
    const fresh = join(folder, 'fresh');
    const joined = await run('join', invite, '--data', fresh, '--listen', '127.0.0.1:0', '--json');
    expect(await joined.exited, joined.stderr).toBe(0);
    expect(readdirSync(fresh).toSorted()).toEqual(['config.toml', 'identity.key', 'network.key', 'peers']);
    const other = await run('join', (await two.ask<{ invite: string }>('invite')).invite, '--data', fresh, '--json');
    expect([await other.exited, other.error?.code]).toEqual([1, 'join.other-network']);
  });

  test.skipIf(!isRoot)('a full disk (needs root for a small file system)', async () => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
    try {
      const data = configure(join(disk, 'data'), 'listen = ["127.0.0.1:0"]');
      execFileSync('sh', ['-c', `head -c 200000 /dev/zero > ${join(disk, 'filler')} || true`], { stdio: 'ignore' });
      const full = await run('up', '--data', data, '--json');
      expect([await full.exited, full.error?.code]).toEqual([1, 'config.secret-unreadable']);
      expect(full.stderr).toContain('ENOSPC');
      // No half of an identity is in the way once there is space.
      rmSync(join(disk, 'filler'));
      const daemon = await start(data);
      expect((await daemon.http('GET', '/health')).status).toBe(200);
      await daemon.stop();
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  });
});
