import { execFile, spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from './cli.ts';
import { ServiceNetwork, type TestNode } from './service-network.ts';

const execute = promisify(execFile);

/** Programs of the system; a test that misses one says so in its name. */
function has(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program} || test -x /usr/sbin/${program}`]).status === 0;
}
function needs(...programs: readonly string[]): { readonly missing: boolean; readonly why: string } {
  const missing = programs.filter((program) => !has(program));
  if (missing.length > 0) console.log(`not run: ${missing.join(' and ')} not installed`);
  return { missing: missing.length > 0, why: missing.length > 0 ? ` (not run: no ${missing.join(', ')} here)` : '' };
}
const curl = needs('curl');
const git = needs('git', 'curl');
const ssh = needs('ssh', 'sshd', 'ssh-keygen', 'nc');

let network: ServiceNetwork;
let server: TestNode;
let client: TestNode;
let stranger: TestNode;
let web: ReturnType<typeof createHttpServer>;
let webPort: number;
let big: Buffer;
let proxy: { readonly host: string; readonly port: number };
let www: string;

beforeAll(async () => {
  network = new ServiceNetwork();
  www = join(network.folder, 'www');
  mkdirSync(www);
  big = randomBytes(4_000_000);
  writeFileSync(join(www, 'big'), big);
  writeFileSync(join(www, 'index.html'), 'hello\n');
  web = createHttpServer((request, response) => {
    try {
      const path = join(www, (request.url as string).split('?')[0] as string);
      response.end(readFileSync(statSync(path).isDirectory() ? join(path, 'index.html') : path));
    } catch {
      response.writeHead(404).end();
    }
  }).listen(0, '127.0.0.1');
  await once(web, 'listening');
  webPort = (web.address() as AddressInfo).port;

  const relayFlags = ['--relay', '--allow-dial', 'loopback'];
  const one = await network.node('one', 61, ...relayFlags);
  const [two, far, lone] = await Promise.all([
    network.node('two', 62, ...relayFlags, '--peer', one.address),
    network.node('server', 63, '--relay', '--no-forward', '--set', 'exit.allow=["127.0.0.0/8:*"]', '--set', 'exit.peers=["*"]'),
    network.node('stranger', 64, '--peer', one.address),
  ]);
  server = far;
  stranger = lone;
  client = await network.node('client', 65, '--peer', one.address, '--peer', two.address, '--peer', server.address);
  await network.run(server.data, 'expose', 'web', `127.0.0.1:${webPort}`, '--allow', client.peerId);
  proxy = await network.hold(client.data, 'socks', '--listen', '0', '--exit', server.address, '--hops', '3');
});
afterAll(async () => {
  web?.close();
  await network?.[Symbol.asyncDispose]();
});

/** What is fetched from `host:port`, as text. */
async function fetchText(host: string, port: number, path: string): Promise<string> {
  return (await fetch(`http://${host}:${port}${path}`)).text();
}

/** All bytes that come from a fresh connection until it ends. */
async function talk(host: string, port: number, ...words: readonly Uint8Array[]): Promise<Buffer> {
  const socket: Socket = connect(port, host);
  socket.on('error', () => {});
  for (const word of words) socket.write(word);
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  await new Promise((resolve) => socket.on('close', resolve));
  return Buffer.concat(pieces);
}

describe('forward', () => {
  test('a local port leads to a service over three hops, whole, until the command is ended', async () => {
    const { cli, host, port } = await network.hold(client.data, 'forward', '0', server.address, 'web', '--hops', '3');
    expect(await fetchText(host, port, '/')).toBe('hello\n');
    const digest = createHash('sha256').update(Buffer.from(await (await fetch(`http://${host}:${port}/big`)).arrayBuffer()));
    expect(digest.digest('hex')).toBe(createHash('sha256').update(big).digest('hex'));
    cli.child.kill('SIGINT');
    expect(await cli.exited).toBe(130);
    await expect(fetchText(host, port, '/')).rejects.toThrow();
  });

  test('a peer that is not allowed is told so, and gets nothing', async () => {
    const { cli, host, port } = await network.hold(stranger.data, 'forward', '0', server.address, 'web');
    await expect(fetchText(host, port, '/')).rejects.toThrow();
    await cli.event('failed' as never);
    expect(cli.stdout).toContain('"service.refused"');
  });

  test('a service that is unknown, and one that is down, are told apart', async () => {
    const gone = createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port: freePort } = gone.address() as AddressInfo;
    gone.close();
    await network.run(server.data, 'expose', 'down', `127.0.0.1:${freePort}`, '--allow-any');
    const [unknown, down] = await Promise.all(
      ['nothing', 'down'].map(async (service) => network.hold(client.data, 'forward', '0', server.address, service)),
    );
    await Promise.all([unknown, down].map(async (each) => talk(each?.host ?? '', each?.port ?? 0, Buffer.from('x'))));
    await unknown?.cli.event('failed' as never);
    await down?.cli.event('failed' as never);
    expect(unknown?.cli.stdout).toContain('"service.unknown"');
    expect(down?.cli.stdout).toContain('"service.down"');
  });

  test('a port in use is an error with the next step', async () => {
    const cli = await run('forward', `127.0.0.1:${webPort}`, server.address, 'web', '--data', client.data, '--json');
    expect(cli.child.exitCode).toBe(1);
    expect(cli.error?.code).toBe('service.listen-failed');
    expect(cli.stderr).toContain('name another port');
  });

  test('a node that is killed under it ends the command with an error', async () => {
    const doomed = await network.node('doomed', 66);
    const { cli } = await network.hold(doomed.data, 'forward', '0', server.address, 'web');
    doomed.cli.child.kill('SIGKILL');
    expect(await cli.exited).toBe(1);
    expect(cli.error?.code).toBe('control.lost');
  });
});

describe('exposed services', () => {
  test('are kept across a restart, and are offered no more once they are unexposed', async () => {
    const first = await network.node('keeper', 67);
    await network.run(first.data, 'expose', 'kept', '127.0.0.1:9', '--allow', client.peerId);
    first.cli.child.kill('SIGTERM');
    await first.cli.exited;
    const again = await network.node('keeper', 67);
    expect((await network.run(again.data, 'services')).stdout).toContain('"kept"');
    await network.run(again.data, 'unexpose', 'kept');
    expect((await network.run(again.data, 'services')).stdout).not.toContain('kept');
  });

  test('for nobody are refused', async () => {
    const cli = await run('expose', 'lonely', '127.0.0.1:9', '--data', server.data, '--json');
    expect(cli.error?.code).toBe('service.nobody');
  });
});

describe('the SOCKS proxy, over three hops', () => {
  const curlThrough = async (...args: readonly string[]): Promise<string> =>
    (await execute('curl', ['-sS', '--max-time', '20', '--socks5-hostname', `${proxy.host}:${proxy.port}`, ...args])).stdout;

  test.skipIf(curl.missing)(`curl fetches from a service by its name${curl.why}`, async () => {
    expect(await curlThrough(`http://web.${server.peerId}/`)).toBe('hello\n');
  });

  test.skipIf(curl.missing)(`curl fetches from an ordinary host through the exit${curl.why}`, async () => {
    expect(await curlThrough(`http://127.0.0.1:${webPort}/`)).toBe('hello\n');
  });

  test.skipIf(curl.missing)(`a host that the exit does not allow is refused (RFC 1928 §6: 2)${curl.why}`, async () => {
    await expect(curlThrough('http://192.0.2.1:80/')).rejects.toThrow(/\(2\)|not allowed/);
  });

  test.skipIf(git.missing)(`git clones a repository${git.why}`, async () => {
    const [work, copy] = [join(network.folder, 'work'), join(network.folder, 'copy')];
    const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };
    const inWork = async (...args: readonly string[]): Promise<unknown> => execute('git', ['-C', work, ...args], { env });
    mkdirSync(work);
    writeFileSync(join(work, 'doll'), 'inside\n');
    await inWork('init', '-q');
    await inWork('add', '.');
    await inWork('-c', 'user.name=n', '-c', 'user.email=e@example.com', 'commit', '-qm', 'a doll');
    await inWork('update-server-info');
    cpSync(join(work, '.git'), join(www, 'doll.git'), { recursive: true });
    await execute(
      'git',
      ['-c', `http.proxy=socks5h://${proxy.host}:${proxy.port}`, 'clone', '-q', `http://web.${server.peerId}/doll.git`, copy],
      { env },
    );
    expect(readFileSync(join(copy, 'doll'), 'utf8')).toBe('inside\n');
  });

  test.skipIf(ssh.missing)(`ssh runs a command${ssh.why}`, async () => {
    const folder = join(network.folder, 'ssh');
    mkdirSync(folder, { mode: 0o700 });
    const [hostKey, userKey] = [join(folder, 'host'), join(folder, 'user')];
    for (const key of [hostKey, userKey]) spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    cpSync(`${userKey}.pub`, join(folder, 'authorized'));
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
    const config = [`Port ${port}`, 'ListenAddress 127.0.0.1', `HostKey ${hostKey}`, `AuthorizedKeysFile ${join(folder, 'authorized')}`];
    // By its level bash knows that it is no login, and does not read the start-up files of whoever runs this.
    const rest = ['UsePAM no', 'StrictModes no', 'PidFile none', 'SetEnv SHLVL=1'];
    writeFileSync(join(folder, 'config'), `${[...config, ...rest].join('\n')}\n`);
    const daemon = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(folder, 'config')], { stdio: ['ignore', 'ignore', 'pipe'] });
    try {
      await once(daemon.stderr, 'data');
      await network.run(server.data, 'expose', 'ssh', `127.0.0.1:${port}`, '--allow', client.peerId);
      const { stdout } = await execute('ssh', [
        ...[
          '-F',
          'none',
          '-i',
          userKey,
          '-o',
          'BatchMode=yes',
          '-o',
          'StrictHostKeyChecking=no',
          '-o',
          `UserKnownHostsFile=${join(folder, 'known')}`,
        ],
        ...['-o', `ProxyCommand=nc -X 5 -x ${proxy.host}:${proxy.port} %h %p`, `ssh.${server.peerId}`, 'echo through the dolls'],
      ]);
      expect(stdout).toBe('through the dolls\n');
    } finally {
      daemon.kill('SIGKILL');
    }
  });

  test('a name is looked up over UDP (RFC 1928 §7)', async () => {
    // Answers any question with the question: enough of a name server to tell that both ways work.
    const names = createSocket('udp4').bind(0, '127.0.0.1');
    await once(names, 'listening');
    names.on('message', (question, { address, port }) => names.send(Buffer.concat([question, Buffer.from('answer')]), port, address));
    const control = connect(proxy.port, proxy.host);
    control.write(Uint8Array.of(5, 1, 0, 5, 3, 0, 1, 0, 0, 0, 0, 0, 0));
    let reply = Buffer.alloc(0);
    while (reply.length < 12) reply = Buffer.concat([reply, ((await once(control, 'data')) as [Buffer])[0]]);
    expect([...reply.subarray(0, 4)]).toEqual([5, 0, 5, 0]);
    const own = createSocket('udp4').bind(0, '127.0.0.1');
    await once(own, 'listening');
    const { port } = names.address();
    own.send(
      Buffer.from([0, 0, 0, 1, 127, 0, 0, 1, port >> 8, port & 0xff, ...Buffer.from('example.com?')]),
      reply.readUInt16BE(10),
      '127.0.0.1',
    );
    const [datagram] = (await once(own, 'message')) as [Buffer];
    expect([...datagram.subarray(0, 10)]).toEqual([0, 0, 0, 1, 127, 0, 0, 1, port >> 8, port & 0xff]);
    expect(datagram.subarray(10).toString()).toBe('example.com?answer');
    control.destroy();
    own.close();
    names.close();
  });

  test('clients with different credentials share no connection', async () => {
    const connections = async (): Promise<number> => {
      const listed = JSON.parse((await network.run(client.data, 'peers')).stdout) as { readonly kind: string; readonly role: string }[];
      return listed.filter(({ kind, role }) => kind === 'relayed' && role === 'initiator').length;
    };
    /** Greets with a name, and asks for the service. */
    const fetchAs = async (name: string): Promise<string> => {
      const host = `web.${server.peerId}`;
      const request = [5, 1, 0, 3, host.length, ...Buffer.from(host), 0, 80];
      const http = `GET / HTTP/1.0\r\n\r\n`;
      const words = [5, 1, 2, 1, name.length, ...Buffer.from(name), 1, 0x78, ...request, ...Buffer.from(http)];
      return (await talk(proxy.host, proxy.port, Uint8Array.from(words))).toString();
    };
    const before = await connections();
    expect(await fetchAs('alice')).toContain('hello');
    expect(await fetchAs('alice')).toContain('hello');
    expect(await connections()).toBe(before + 1);
    expect(await fetchAs('bob')).toContain('hello');
    expect(await connections()).toBe(before + 2);
  });

  test.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'HTTP/1.0 501'],
    ['version 4', Buffer.from([4, 1, 0, 80, 127, 0, 0, 1, 0]), '\0\x5b'],
    ['no method that is known', Buffer.from([5, 1, 9]), '\x05\xff'],
    ['BIND', Buffer.from([5, 1, 0, 5, 2, 0, 1, 127, 0, 0, 1, 0, 80]), '\x05\0\x05\x07'],
    ['an address of no type', Buffer.from([5, 1, 0, 5, 1, 0, 9]), '\x05\0\x05\x08'],
  ] as const)('a client that speaks %s is told so, and the proxy goes on', async (_, words, answer) => {
    expect((await talk(proxy.host, proxy.port, words)).toString('latin1').startsWith(answer)).toBe(true);
    expect((await talk(proxy.host, proxy.port, Buffer.from([5, 1, 9]))).toString('latin1')).toBe('\x05\xff');
  });
});
