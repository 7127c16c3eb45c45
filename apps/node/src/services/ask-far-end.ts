import type { Duplex } from 'node:stream';
import { MatryoshkaError } from '@matryoshka/node';
import { CliError } from '../cli-error.ts';
import { CONNECTED, EXIT_PROTOCOL, type HostPort, SERVICE_PROTOCOL, encodeHostPort, encodeText } from './protocol.ts';
import type { PeerLinks, Target } from './peer-links.ts';
import { formatHostPort } from './service-name.ts';
import { takeBytes } from './take-bytes.ts';

/** How long the far end may take to connect, in milliseconds. */
const ANSWER_TIMEOUT_MS = 30_000;

/**
 * A stream to the service `name` of a peer, connected.
 * @throws CliError `service.unknown`, `service.refused`, `service.down`, `service.timeout`; MatryoshkaError why the peer is not reached
 */
export async function openService(links: PeerLinks, target: Target, name: string, signal: AbortSignal): Promise<Duplex> {
  return ask(links, target, SERVICE_PROTOCOL, encodeText(name), signal, {
    'stream.unknown-protocol': ['service.unknown', `the peer has no service ${name}`, 'there it needs: matryoshka expose'],
    'session.refused': [
      'service.refused',
      `the peer does not let us use its service ${name}`,
      'ask its owner to allow this peer: matryoshka identity shows who we are',
    ],
    'transport.dial-failed': ['service.down', `the service ${name} of the peer is down`, undefined],
  });
}

/**
 * A stream to an ordinary host through an exit, connected.
 * @throws CliError `exit.unknown`, `exit.refused`, `exit.unreachable`, `service.timeout`; MatryoshkaError why the exit is not reached
 */
export async function openThroughExit(links: PeerLinks, target: Target, place: HostPort, signal: AbortSignal): Promise<Duplex> {
  const where = formatHostPort(place);
  return ask(links, target, EXIT_PROTOCOL, encodeHostPort(place), signal, {
    'stream.unknown-protocol': ['exit.unknown', 'the peer is no exit', 'there it needs exit.allow in its configuration'],
    'session.refused': ['exit.refused', 'the peer does not let us use it as an exit', 'ask its owner to add this peer to exit.peers'],
    'relay.destination-forbidden': ['exit.refused', `the exit does not allow ${where}`, 'ask its owner to add it to exit.allow'],
    'transport.dial-failed': ['exit.unreachable', `the exit cannot connect to ${where}`, undefined],
  });
}

/** What resets mean, as code, message and hint. */
type Meanings = Readonly<Record<string, readonly [code: string, message: string, hint: string | undefined]>>;

async function ask(
  links: PeerLinks,
  target: Target,
  protocol: string,
  request: Uint8Array,
  signal: AbortSignal,
  meanings: Meanings,
): Promise<Duplex> {
  let stream: Duplex | undefined;
  const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  const late = (): void =>
    void stream?.destroy(new CliError('service.timeout', `the peer has not answered for ${ANSWER_TIMEOUT_MS / 1000} s`));
  const gone = (): void => void stream?.destroy();
  try {
    stream = await links.open(target, protocol, AbortSignal.any([signal, timeout]));
    // Whoever reads or writes next hears of it; without a listener it would end the process.
    stream.on('error', () => {});
    timeout.addEventListener('abort', late, { once: true });
    signal.addEventListener('abort', gone, { once: true });
    stream.write(request);
    const [answer] = await takeBytes(stream)(1);
    if (answer !== CONNECTED) throw new CliError('service.protocol', 'the peer gave an answer that is none');
    return stream;
  } catch (error) {
    stream?.destroy();
    if (timeout.aborted && !signal.aborted)
      throw new CliError('service.timeout', `the peer has not answered for ${ANSWER_TIMEOUT_MS / 1000} s`);
    const meaning = error instanceof MatryoshkaError ? meanings[error.code] : undefined;
    if (meaning === undefined) throw error;
    const [code, message, hint] = meaning;
    throw new CliError(code, message, hint, { cause: error });
  } finally {
    timeout.removeEventListener('abort', late);
    signal.removeEventListener('abort', gone);
  }
}
