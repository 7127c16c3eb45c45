import { type RecordKeys, type Role, TAG_LENGTH } from '@matryoshka/session';
import { type World, createWorld } from '@matryoshka/simulation';
import { type CloseReason, type Link, memoryLink } from '@matryoshka/transport';
import { type Message, MessageType, Reader, Writer, decodeMessage, encodeMessage, messageLength } from '@matryoshka/wire';
import { DEFAULT_KEY_UPDATE_SETTINGS, type KeyUpdateSettings, type Session } from '../src/index.ts';
import { HELLO, type Keys, TestNode, keyPairs, sessionOver } from './pair.ts';

/** The other end of a session, which says what it is told to, right or wrong. */
export class RawPeer {
  readonly link: Link;
  /** Messages that came, padding and unknown ones left out. */
  readonly received: Message[] = [];
  /** Messages per record, in order. */
  readonly records: Message['type'][][] = [];
  closed: CloseReason | undefined;
  /** Whoever changes its keys says so. */
  sendKeys: RecordKeys;
  receiveKeys: RecordKeys;

  constructor(link: Link, keys: Keys) {
    this.link = link;
    this.sendKeys = keys.sendKeys;
    this.receiveKeys = keys.receiveKeys;
    link.attach({
      message: (bytes) => this.#record(bytes.slice()),
      written: () => {},
      writable: () => {},
      stalled: () => {},
      flowing: () => {},
      closed: (reason) => void (this.closed = reason),
    });
  }

  /** Sends all of `messages` in one record. */
  send(...messages: readonly Message[]): void {
    const plaintext = new Uint8Array(messages.reduce((length, message) => length + messageLength(message), 0));
    const writer = new Writer(plaintext);
    for (const message of messages) encodeMessage(writer, message);
    this.seal(plaintext);
  }

  /** Sends any bytes as the contents of a record. */
  seal(plaintext: Uint8Array): void {
    this.link.send([this.sealed(plaintext)]);
  }

  sealed(plaintext: Uint8Array): Uint8Array {
    const record = new Uint8Array(plaintext.length + TAG_LENGTH);
    this.sendKeys.seal(plaintext, record);
    return record;
  }

  /** Messages of one kind that came. */
  of<T extends Message['type']>(type: T): Extract<Message, { type: T }>[] {
    return this.received.filter((message): message is Extract<Message, { type: T }> => message.type === type);
  }

  #record(bytes: Uint8Array): void {
    const reader = new Reader(this.receiveKeys.open(bytes));
    const types: Message['type'][] = [];
    while (reader.remaining > 0) {
      const message = decodeMessage(reader);
      if (message === undefined) continue;
      types.push(message.type);
      this.received.push(message);
    }
    this.records.push(types);
  }
}

export interface RawPair {
  readonly world: World;
  readonly node: TestNode;
  readonly session: Session;
  readonly raw: RawPeer;
}

interface RawPairOptions {
  readonly hello?: boolean;
  readonly delayMs?: number;
  /** The session's. */
  readonly role?: Role;
  readonly keyUpdate?: KeyUpdateSettings;
}

/** A session and a peer that may say anything; the peer is the initiator and has said hello, unless told otherwise. */
export async function rawPair({
  hello = true,
  delayMs = 0,
  role = 'responder',
  keyUpdate = DEFAULT_KEY_UPDATE_SETTINGS,
}: RawPairOptions = {}): Promise<RawPair> {
  const world = createWorld({ seed: 1 });
  const [dialled, accepted] = memoryLink({ clock: world.clock, delayMs: () => delayMs });
  const [initiator, responder] = keyPairs();
  const node = Object.assign(new TestNode(world, 1), { keyUpdate });
  const session = sessionOver(node, accepted, role, responder);
  const raw = new RawPeer(dialled, initiator);
  if (hello) raw.send(HELLO);
  await world.clock.advance(2 * delayMs + 1);
  return { world, node, session, raw };
}

/** The header of a message, with any type and length. */
export function header(type: number, length: number): number[] {
  return [type, length >> 8, length & 0xff];
}

export { MessageType };
