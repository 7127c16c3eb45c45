import { loadNativeProvider } from '@matryoshka/native';
import { Acceptor, Protocols, type Session, type SessionEnvironment, connectSession } from '@matryoshka/peer';
import { DEFAULT_ALLOWANCE_SETTINGS, DEFAULT_RELAY_OPTIONS, RelayService } from '@matryoshka/relay';
import {
  type Random,
  SlabPool,
  createIdentity,
  networkKeyPsk,
  parsePeerId,
  peerHash,
  portableProvider,
  randomBytes,
} from '@matryoshka/session';
import { type Link, type LinkHandler, systemClock } from '@matryoshka/transport';
import { tcp } from '@matryoshka/transport/tcp';
import { type Endpoint, HANDSHAKE_ANSWER_LENGTH, HANDSHAKE_REQUEST_LENGTH, MatryoshkaError, parseDestination } from '@matryoshka/wire';

const UNLIMITED = { requestsPerSecond: 0, burst: 0, handshakes: 0, links: 0 };
/** A relay that has no room for another link, or may not be asked for now, is asked again after this time, in milliseconds. */
const AGAIN_MS = 100;
const MAX_ATTEMPTS = 600;

const provider = loadNativeProvider() ?? portableProvider;
const random: Random = { fill: (bytes) => void crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>) };

/**
 * Who speaks the protocol up to relay links and no further: links without sessions inside, so that tens of thousands of them
 * are open in seconds, and what is measured is a relay's work on links alone.
 */
export class LinkParty {
  /** Links that ended here are handed to whoever owns them; what they begin with is not looked at. */
  readonly #owner: () => LinkHandler;
  readonly #sessions = new Set<Session>();
  readonly #environment: SessionEnvironment;
  readonly #relay: RelayService;
  readonly #transport: ReturnType<ReturnType<typeof tcp>>;
  #gateway: Session | undefined;
  #requests = 0;
  #sessionIds = 0;

  constructor(host: string, owner: () => LinkHandler) {
    this.#owner = owner;
    const identity = createIdentity(provider, random);
    this.#transport = tcp({ localAddress: host })({ clock: systemClock, random, provider });
    this.#relay = new RelayService(
      {
        clock: systemClock,
        random,
        peerId: identity.peerId,
        sessions: () => this.#sessions,
        ownEndpoints: () => [],
        endpointsOf: () => [],
        dial: () => Promise.reject(new MatryoshkaError('relay.destination-unreachable')),
        accept: (link) => this.#accept(link),
        onServed: () => {},
      },
      {
        enabled: true,
        forward: false,
        relayMemoryBytes: 4 * DEFAULT_RELAY_OPTIONS.relayMemoryBytes,
        allowances: { ...DEFAULT_ALLOWANCE_SETTINGS, unknown: UNLIMITED, relayed: UNLIMITED },
      },
    );
    this.#environment = {
      provider,
      random,
      clock: systemClock,
      slabs: new SlabPool(),
      identity,
      staticKey: provider.dhKeyPair(randomBytes(random, 32)),
      psk: networkKeyPsk(provider),
      protocols: new Protocols(),
      relay: this.#relay,
      acceptAnonymous: true,
      handshakeTimeoutMs: 10_000,
      maxHandshakes: 256,
      nextSessionId: () => `s${this.#sessionIds++}`,
      hello: () => ({ type: 'hello', relaying: false, allowance: UNLIMITED, listening: [] }),
      onHello: () => {},
      onOpened: (session) => this.#sessions.add(session),
      onClosed: (session) => this.#sessions.delete(session),
    };
  }

  /** Listens on `host`; returns where, as `peerId@host:port`. */
  async listen(host: string): Promise<string> {
    const acceptor = new Acceptor(this.#environment);
    const listener = await this.#transport.listen?.({ transport: 'tcp', host, port: 0 }, (link, first) => acceptor.offer(link, first));
    return `${this.#environment.identity.peerId}@${host}:${listener?.endpoint.port}`;
  }

  /** Connects to the relay that links go through, at `peerId@host:port`. */
  async connect(address: string): Promise<void> {
    const { endpoint } = addressOf(address);
    this.#gateway = await connectSession(
      this.#environment,
      { next: ({ first }, signal) => this.#transport.dial(endpoint, first, { signal }) },
      { dialled: endpoint },
    );
    await this.#gateway.greeted;
  }

  /** Opens a link over the relay to another party. */
  async open(destination: string): Promise<Link> {
    if (this.#gateway === undefined) throw new Error('not connected to a relay');
    const { endpoint, peer } = addressOf(destination);
    const request = { gateway: this.#gateway, destination: { endpoint, peer }, remote: endpoint, hops: 2 };
    for (let attempt = 1; ; attempt++) {
      try {
        // One after the other is the point.
        // oxlint-disable-next-line no-await-in-loop
        return await this.#relay.open(request, this.#someRequest());
      } catch (error) {
        const { code } = error as MatryoshkaError;
        if (attempt === MAX_ATTEMPTS || (code !== 'relay.busy' && code !== 'relay.rate-limited')) throw error;
        // oxlint-disable-next-line no-await-in-loop
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  #accept(link: Link): void {
    link.attach(this.#owner());
    link.send([new Uint8Array(HANDSHAKE_ANSWER_LENGTH)]);
  }

  /** A first handshake message that begins with a key of its own, as all do. */
  #someRequest(): Uint8Array {
    const request = randomBytes(random, HANDSHAKE_REQUEST_LENGTH);
    new DataView(request.buffer).setUint32(3, ++this.#requests);
    return request;
  }
}

function addressOf(text: string): { readonly endpoint: Endpoint; readonly peer: Uint8Array } {
  const destination = parseDestination(text);
  if (destination.type !== 'endpoint' || destination.peerId === undefined) throw new TypeError(`${text} is not peerId@host:port`);
  return { endpoint: destination.endpoint, peer: peerHash(parsePeerId(destination.peerId)) };
}
