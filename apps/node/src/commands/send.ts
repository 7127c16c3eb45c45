import { type ConnectOptions, type Connection, type MatryoshkaNode, connectionStatus, createNode } from '@matryoshka/node';
import { Command } from 'commander';
import { reportError } from '../describe-error.ts';
import { FILE_PROTOCOL } from '../file/file-message.ts';
import { printable } from '../file/file-name.ts';
import { OutgoingFile } from '../file/outgoing-file.ts';
import { sendFile } from '../file/send-file.ts';
import { obeyInput } from '../input-commands.ts';
import { Interruption } from '../interruption.ts';
import { addNodeFlags, destination, nodeOptions } from '../node-flags.ts';
import { peerText, reportNode } from '../node-reporter.ts';
import { Output } from '../output.ts';
import { type RouteFlags, addRouteFlags, hopsText, routeOf } from '../route-flags.ts';
import { sendThrough } from '../transfer/send-through.ts';
import { sentText } from '../transfer/sent-text.ts';
import { type TransferFlags, addTransferFlags, runningNode } from './transfer-node.ts';

/** Programs hear of progress this often, in milliseconds. */
const PROGRESS_INTERVAL_MS = 100;

interface SendFlags extends TransferFlags, RouteFlags {
  readonly name?: string;
}

/** `matryoshka send`: sends a file, directly, through relays or through a circuit. */
export function sendCommand(): Command {
  const command = new Command('send')
    .summary('send a file')
    .description(
      'Sends a file to a node that receives, and compares the SHA-256 of both ends: through the node that is configured, else with one of its own.',
    )
    .argument('<file>', 'file to send')
    .argument(
      '<destination>',
      '[peerId@]host:port, a peer id, or peerId@relayPeerId[@host:port]; peerId+staticKey of a hidden peer',
      destination,
    )
    .option('--name <name>', 'name of the file at the receiver (default: the name it has)');
  return addTransferFlags(addNodeFlags(addRouteFlags(command)))
    .addHelpText(
      'after',
      `
Examples:
  $ matryoshka send photo.jpg mtk1…@198.51.100.9:999
  $ matryoshka send photo.jpg mtk1…@198.51.100.9:999 --hops 3 --peer mtk1…@203.0.113.5:999
  $ matryoshka send photo.jpg mtk1…@198.51.100.9:999 --path mtk1…@203.0.113.5:999,mtk1…@192.0.2.7:999`,
    )
    .action(send);
}

async function send(path: string, to: string, flags: SendFlags): Promise<void> {
  const output = new Output(flags.json === true);
  using interruption = new Interruption(flags.exitWithParent === true);
  const { signal } = interruption;
  // First what needs nobody else: a file that cannot be read ends it at once.
  await using file = await OutgoingFile.open(path, flags.name);
  try {
    const client = await runningNode(flags);
    if (client === undefined) await sendAlone(file, path, to, flags, output, signal);
    else await sendThrough(client, output, { file, path, to, route: routeOf(flags), signal });
  } catch (error) {
    if (interruption.exitCode === undefined) throw error;
    output.note('interrupted: the file was not sent');
    process.exitCode = interruption.exitCode;
  }
}

/** With a node of its own, which is gone afterwards. */
async function sendAlone(
  file: OutgoingFile,
  path: string,
  to: string,
  flags: SendFlags,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  await using node = await createNode(await nodeOptions(flags));
  reportNode(node, output, { quiet: true });
  using _input = obeyInput(() => node, output, signal);
  await connectPeers(node, flags.peer, output, signal);
  await using connection = await connect(node, to, flags, output, signal);
  await transfer(connection.value, file, path, connection.seconds, output, signal);
}

/** A peer that is not there is no reason to give up: another way may do. */
async function connectPeers(node: MatryoshkaNode, peers: readonly string[], output: Output, signal: AbortSignal): Promise<void> {
  const connecting = peers.map(async (peer) => {
    try {
      await node.connect(peer, { signal });
    } catch (error) {
      const report = reportError(error);
      output.event({ event: 'peer-failed', peer, error: report });
      output.note(`cannot connect to ${peer}: ${report.message}`);
    }
  });
  await Promise.all(connecting);
}

async function connect(
  node: MatryoshkaNode,
  to: string,
  flags: SendFlags,
  output: Output,
  signal: AbortSignal,
): Promise<AsyncDisposable & { readonly value: Connection; readonly seconds: number }> {
  const { hops, path } = flags;
  const peers = node.connections.map(({ peerId }) => peerId).filter((peerId) => peerId !== undefined);
  output.event({ event: 'connecting', destination: to, peers, ...(hops !== undefined && { hops }), ...(path !== undefined && { path }) });
  output.note(
    `connecting to ${to}${hops === undefined ? '' : ` over ${hopsText(hops)} hops`}${path === undefined ? '' : ` through ${path.length} peers`}`,
  );
  const options: ConnectOptions = { signal, ...routeOf(flags) };
  const startedMs = performance.now();
  const value = await node.connect(to, options);
  const seconds = (performance.now() - startedMs) / 1000;
  const status = connectionStatus(value);
  const built = value.hops?.map(({ peerId, endpoint }) => ({ peerId, endpoint: `${endpoint.host}:${endpoint.port}` }));
  output.event({ event: 'connected', connection: status, seconds, ...(built !== undefined && { hops: built }) });
  output.note(
    `connected to ${peerText(status)}${status.authenticated ? '' : ' (who that is was not verified)'} in ${seconds.toFixed(2)} s`,
  );
  return { value, seconds, [Symbol.asyncDispose]: () => value.close() };
}

async function transfer(
  connection: Connection,
  file: OutgoingFile,
  path: string,
  connectSeconds: number,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const stream = await connection.openStream(FILE_PROTOCOL, { signal });
  const progress = output.progress(`sending ${printable(file.name)}`, file.size);
  let toldMs = 0;
  const onProgress = (bytes: number): void => {
    progress.update(bytes);
    const now = performance.now();
    if (!output.json || (now - toldMs < PROGRESS_INTERVAL_MS && bytes < file.size)) return;
    toldMs = now;
    output.event({ event: 'progress', bytes, size: file.size });
  };
  try {
    const { size, sha256, storedAs, seconds } = await sendFile(stream, file, { signal, onProgress });
    progress.stop();
    const sent = { size, sha256: Buffer.from(sha256).toString('hex'), seconds, storedAs };
    output.event({ event: 'sent', file: path, connectSeconds, ...sent }, sentText(file.name, sent));
  } finally {
    progress.stop();
  }
}
