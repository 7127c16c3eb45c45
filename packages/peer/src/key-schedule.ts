import {
  KeyExchange,
  type KeyExchangeAnswer,
  type KeyPairSource,
  type RecordKeys,
  type Role,
  answerKeyExchange,
  freshKeyPairs,
} from '@matryoshka/session';
import { type KeyUpdate, MatryoshkaError } from '@matryoshka/wire';
import type { SessionEnvironment } from './environment.ts';
import { DEFAULT_KEY_UPDATE_SETTINGS, type KeyUpdateSettings } from './key-update-settings.ts';

/** What a key schedule takes from its session's environment. */
export type KeyScheduleEnvironment = Pick<SessionEnvironment, 'provider' | 'random' | 'clock' | 'keyUpdate'>;

/** Where an exchange stands; secrets have 32 bytes. */
type Exchange =
  | { readonly state: 'none' }
  /** Initiator: the request is out. */
  | { readonly state: 'requested'; readonly pairs: KeyExchange }
  /** Initiator: the answer has come, and `finish` is to go out. */
  | { readonly state: 'finishing'; readonly secret: Uint8Array }
  /** Responder: the answer is to go out. */
  | { readonly state: 'answering'; readonly secret: Uint8Array; readonly answer: KeyExchangeAnswer }
  /** Responder: the answer is out. */
  | { readonly state: 'answered'; readonly secret: Uint8Array };

const NONE: Exchange = { state: 'none' };

/**
 * The keys of both directions of an epoch, one generation after the other (docs/protocol.md §4.4). Each direction goes on
 * by itself; an exchange mixes the same new secret into both.
 *
 * | state of an exchange | on | next |
 * |---|---|---|
 * | none | initiator: it is time | request goes out, `requested` |
 * | none | responder: request | `answering` |
 * | `answering` | answer goes out: the sending key changes | `answered` |
 * | `requested` | answer: the receiving key changes | `finishing` |
 * | `finishing` | finish goes out: the sending key changes | none |
 * | `answered` | finish: the receiving key changes | none |
 * | any | the epoch ends | forgotten: the next one begins with a handshake |
 */
export class KeySchedule {
  readonly #environment: KeyScheduleEnvironment;
  readonly #settings: KeyUpdateSettings;
  readonly #role: Role;
  #send: RecordKeys;
  #receive: RecordKeys;
  #exchange: Exchange = NONE;
  /** Whether something is to be sent whatever the counters say. */
  #queued = false;
  #ratchetQueued = false;
  #requestQueued = false;
  #sentBytes = 0;
  #sendSinceMs: number;
  #exchangedAtMs: number;
  #answeredAtMs = Number.NEGATIVE_INFINITY;
  /** Records that came under earlier generations. */
  #receivedBefore = 0;
  /** Key updates that the other side may still send, as of `#allowedAt` records. */
  #allowed: number;
  #allowedAt = 0;

  constructor(environment: KeyScheduleEnvironment, role: Role, sendKeys: RecordKeys, receiveKeys: RecordKeys) {
    this.#environment = environment;
    this.#settings = environment.keyUpdate ?? DEFAULT_KEY_UPDATE_SETTINGS;
    this.#role = role;
    this.#send = sendKeys;
    this.#receive = receiveKeys;
    this.#sendSinceMs = environment.clock.now();
    this.#exchangedAtMs = this.#sendSinceMs;
    this.#allowed = this.#settings.burst;
  }

  /** Seals the next record. */
  get send(): RecordKeys {
    return this.#send;
  }

  /** Opens the next record. */
  get receive(): RecordKeys {
    return this.#receive;
  }

  /** How long the sending key has been in use, in milliseconds. */
  get ageMs(): number {
    return this.#environment.clock.now() - this.#sendSinceMs;
  }

  // ---- sending ----------------------------------------------------------------------------------------------------

  /** A record of so many bytes was sealed. */
  sealed(length: number): void {
    this.#sentBytes += length;
  }

  /** Whether a key update is to be sent now; the question after each record. */
  get due(): boolean {
    return this.#queued || this.#worn;
  }

  get #worn(): boolean {
    return this.#send.counter >= this.#settings.records || this.#sentBytes >= this.#settings.bytes;
  }

  /** Looks at the clock, now and then. */
  tick(): void {
    const { ageMs, exchangeMs } = this.#settings;
    const now = this.#environment.clock.now();
    if (this.#role === 'initiator' && this.#exchange.state === 'none' && now - this.#exchangedAtMs >= exchangeMs)
      this.#requestQueued = true;
    if (now - this.#sendSinceMs >= ageMs) this.#ratchetQueued = true;
    this.#queued ||= this.#requestQueued || this.#ratchetQueued;
  }

  /** What is to be sent now, alone in a record under `send`; `sent` has to follow at once. */
  take(): KeyUpdate | undefined {
    const type = 'key-update';
    if (this.#exchange.state === 'answering') return { type, kind: 'answer', ...this.#exchange.answer };
    if (this.#exchange.state === 'finishing') return { type, kind: 'finish' };
    if (this.#requestQueued) {
      this.#requestQueued = false;
      const pairs = new KeyExchange(this.#keyPairs);
      this.#exchange = { state: 'requested', pairs };
      return { type, kind: 'request', ...pairs.request };
    }
    if (this.#ratchetQueued || this.#worn) return { type, kind: 'ratchet' };
    this.#queued = false;
    return undefined;
  }

  /** Made on the spot: one exchange in an hour needs none ahead. */
  get #keyPairs(): KeyPairSource {
    return freshKeyPairs(this.#environment.provider, this.#environment.random);
  }

  /** `update` is sealed: what comes after it is under the key that it says. */
  sent(update: KeyUpdate): void {
    if (update.kind === 'request') return;
    if (update.kind === 'ratchet') {
      this.#nextSend();
      return;
    }
    if (this.#exchange.state !== 'answering' && this.#exchange.state !== 'finishing') throw new MatryoshkaError('bug', 'no exchange');
    const { secret } = this.#exchange;
    this.#nextSend(secret);
    if (update.kind === 'answer') this.#exchange = { state: 'answered', secret };
    else this.#finished(secret);
  }

  #nextSend(secret?: Uint8Array): void {
    const before = this.#send;
    this.#send = before.next(secret);
    // Records may be kept that were sealed with it.
    before.retire();
    this.#sentBytes = 0;
    this.#sendSinceMs = this.#environment.clock.now();
    this.#ratchetQueued = false;
  }

  // ---- receiving --------------------------------------------------------------------------------------------------

  /**
   * The other side's key update, which was alone in its record; borrowed during the call. Perhaps `due` afterwards.
   * @throws MatryoshkaError `session.unexpected` for one that may not come now, or comes too often; `wire.invalid` for a
   * malformed ML-KEM key
   */
  read(update: KeyUpdate): void {
    this.#bound();
    switch (update.kind) {
      case 'ratchet':
        this.#nextReceive();
        break;
      case 'request': {
        this.#mayRequest();
        const { provider, random } = this.#environment;
        this.#exchange = { state: 'answering', ...answerKeyExchange(provider, random, this.#keyPairs, update) };
        this.#queued = true;
        break;
      }
      case 'answer': {
        if (this.#exchange.state !== 'requested') throw new MatryoshkaError('session.unexpected', 'an answer to no key exchange');
        const secret = this.#exchange.pairs.finish(this.#environment.provider, update);
        this.#nextReceive(secret);
        this.#exchange = { state: 'finishing', secret };
        this.#queued = true;
        break;
      }
      case 'finish': {
        if (this.#exchange.state !== 'answered') throw new MatryoshkaError('session.unexpected', 'the end of no key exchange');
        const { secret } = this.#exchange;
        this.#nextReceive(secret);
        this.#finished(secret);
        break;
      }
      default:
        update satisfies never;
    }
  }

  #mayRequest(): void {
    if (this.#role === 'initiator') throw new MatryoshkaError('session.unexpected', 'only the initiator begins a key exchange');
    if (this.#exchange.state !== 'none') throw new MatryoshkaError('session.unexpected', 'a key exchange while another one is in progress');
    const now = this.#environment.clock.now();
    if (now - this.#answeredAtMs < this.#settings.minExchangeMs)
      throw new MatryoshkaError('session.unexpected', 'a key exchange too soon after the last one');
    this.#answeredAtMs = now;
  }

  /** Each update costs more than a record: their number is bounded by that of the records. */
  #bound(): void {
    const { burst, recordsPerUpdate } = this.#settings;
    const received = this.#receivedBefore + this.#receive.counter;
    this.#allowed = Math.min(burst, this.#allowed + (received - this.#allowedAt) / recordsPerUpdate);
    this.#allowedAt = received;
    if (this.#allowed < 1) throw new MatryoshkaError('session.unexpected', 'too many key updates');
    this.#allowed--;
  }

  #nextReceive(secret?: Uint8Array): void {
    const before = this.#receive;
    this.#receivedBefore += before.counter;
    this.#receive = before.next(secret);
    // Links keep the order: nothing comes under it any more.
    before.wipe();
  }

  // ---- ends -------------------------------------------------------------------------------------------------------

  #finished(secret: Uint8Array): void {
    secret.fill(0);
    this.#exchange = NONE;
    this.#exchangedAtMs = this.#environment.clock.now();
  }

  /** The epoch is over: nothing is sealed or opened any more, and an exchange in progress is forgotten. Idempotent. */
  end(): void {
    if (this.#exchange.state === 'requested') this.#exchange.pairs.wipe();
    else if (this.#exchange.state !== 'none') this.#exchange.secret.fill(0);
    this.#exchange = NONE;
    this.#send.retire();
    this.#receive.wipe();
  }
}
