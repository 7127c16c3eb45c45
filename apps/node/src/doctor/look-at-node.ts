import { createServer } from 'node:net';
import { type Endpoint, parseDestination, parseEndpoint } from '@matryoshka/node';
import type { Config } from '../config/config.ts';
import { peerIdOf } from '../config/joined-peers.ts';
import type { ControlClient } from '../control/client.ts';
import type { DaemonStatus } from '../daemon/status.ts';
import { VERSION } from '../version.ts';
import { type Finding, fail, ok, warn } from './check.ts';
import { canConnect } from './can-connect.ts';

/** The running node: whether it listens, is what is configured, and has its peers. */
export async function lookAtRunning(config: Config, client: ControlClient): Promise<readonly Finding[]> {
  const status = await client.call<DaemonStatus>('GET', '/v1/status');
  const findings: Finding[] = [ok('node', `it runs, process ${status.pid}`)];
  if (status.version !== VERSION)
    findings.push(warn('version', `the node runs version ${status.version}, this is ${VERSION}`, 'restart the node'));
  if (status.needRestart.length > 0)
    findings.push(
      warn('restart', `${status.needRestart.join(', ')} have changed since the start`, 'run: matryoshka config reload --restart'),
    );
  findings.push(...(await Promise.all(status.node.listening.map(lookAtListener))));
  if (status.node.listening.length === 0)
    findings.push(warn('listening', 'nowhere: nobody can connect to this node', 'set listen in the configuration'));
  const connected = new Set(status.node.connections.filter(({ state }) => state === 'open').map(({ peerId }) => peerId));
  const peers = new Set((config.nodeOptions().peers ?? []).map(peerIdOf));
  for (const peer of peers)
    findings.push(
      connected.has(peer) ? ok('peer', `connected to ${peer}`) : fail('peer', `not connected to ${peer}`, await whyNot(config, peer)),
    );
  return findings;
}

async function lookAtListener(text: string): Promise<Finding> {
  const endpoint = parseEndpoint(text);
  const host = endpoint.host === '0.0.0.0' ? '127.0.0.1' : endpoint.host === '::' ? '::1' : endpoint.host;
  const problem = await canConnect({ ...endpoint, host });
  return problem === undefined
    ? ok('listening', text)
    : fail('listening', `nothing answers on ${text}: ${problem}`, 'look at the log of the node');
}

/** What is configured, where no node runs: whether it could. */
export async function lookAtStopped(config: Config): Promise<readonly Finding[]> {
  const findings: Finding[] = [warn('node', 'it does not run', 'run: matryoshka up')];
  for (const text of config.nodeOptions().listen ?? []) {
    // One after the other: two may be the same port.
    // oxlint-disable-next-line no-await-in-loop
    const problem = await whyNotListen(parseEndpoint(text));
    findings.push(
      problem === undefined
        ? ok('listening', `${text} is free`)
        : fail('listening', `cannot listen on ${text}: ${problem}`, adviceFor(problem)),
    );
  }
  const peers = [...new Set((config.nodeOptions().peers ?? []).map(peerIdOf))];
  const reached = await Promise.all(
    peers.map(async (peer) => {
      const problem = await whyNot(config, peer);
      return problem === undefined ? ok('peer', `${peer} is reachable`) : fail('peer', `${peer} is not reachable`, problem);
    }),
  );
  return [...findings, ...reached];
}

/** Why none of the places of a peer can be connected to; undefined where one can. */
async function whyNot(config: Config, peer: string): Promise<string | undefined> {
  const places = (config.nodeOptions().peers ?? []).filter((place) => peerIdOf(place) === peer).map(parseDestination);
  const problems = await Promise.all(
    places.map(async (place) => {
      if (place.type !== 'endpoint') return 'it has no place';
      const problem = await canConnect(place.endpoint);
      return problem === undefined ? undefined : `${place.endpoint.host}:${place.endpoint.port}: ${problem}`;
    }),
  );
  return problems.includes(undefined) ? undefined : `${problems.join('; ')}; check that it runs, and that no firewall is between`;
}

function whyNotListen({ host, port }: Endpoint): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

function adviceFor(problem: string): string {
  if (problem === 'EADDRINUSE') return 'another program listens there: stop it, or set another port in listen';
  if (problem === 'EACCES') return 'ports below 1024 need a privilege: set another port in listen';
  return problem === 'EADDRNOTAVAIL' ? 'this machine does not have that address: set another one in listen' : 'set another one in listen';
}
