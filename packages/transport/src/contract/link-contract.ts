import { MatryoshkaError } from '@matryoshka/wire';
import { type Link, MAX_MESSAGE_LENGTH, UNSENT_LIMIT_BYTES } from '../link.ts';
import { Recorder } from './recorder.ts';

/** Two ends of a link that nobody owns yet. */
export interface LinkPair {
  /** The end that dialled. */
  readonly dialled: Link;
  /** The end that was accepted. */
  readonly accepted: Link;
  /** A copy of the first message, as the accepting side got it. */
  readonly first: Uint8Array;
}

/** A way to make the links to be tested. */
export interface LinkContractSubject {
  /** Dials with `first` as the first message. */
  pair(first: Uint8Array): Promise<LinkPair>;
  /** Waits for `promise`; a simulated world drives its clock meanwhile. Default: waits. */
  run?<T>(promise: Promise<T>): Promise<T>;
  /** Lets so much time pass that whatever is going to happen has happened. */
  idle(): Promise<void>;
}

/** One case of the contract. It throws where the contract is broken. */
export interface LinkContractCase {
  /** What is required, in a sentence. */
  readonly name: string;
  /** Examines a fresh pair of links. */
  run(subject: LinkContractSubject): Promise<void>;
}

/** What a case works with: both ends, each with an owner. */
interface Owned {
  readonly dialled: Link;
  readonly accepted: Link;
  readonly diallerOwner: Recorder;
  readonly acceptedOwner: Recorder;
  readonly wait: <T>(promise: Promise<T>) => Promise<T>;
}

const FIRST = Uint8Array.of(1, 2, 3, 4, 5);
/** More than any carrier swallows without a reader. */
const MUCH_BYTES: number = 64 * 1024 * 1024;

/** A message that can be told from every other one by its index. */
function sample(index: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (index * 31 + i * 7 + (i >>> 8)) & 0xff);
}

function check(holds: boolean, message: string): void {
  if (!holds) throw new Error(message);
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function checkMessages(got: readonly Uint8Array[], expected: readonly Uint8Array[]): void {
  check(got.length === expected.length, `expected ${expected.length} messages, got ${got.length}`);
  for (const [i, message] of expected.entries())
    check(same(got[i], message), `message ${i} of ${message.length} bytes is not what was sent`);
}

function throwsRangeError(run: () => unknown): boolean {
  try {
    run();
    return false;
  } catch (error) {
    return error instanceof RangeError;
  }
}

function wait<T>(subject: LinkContractSubject, promise: Promise<T>): Promise<T> {
  return subject.run === undefined ? promise : subject.run(promise);
}

/** A case in which both ends have an owner from the start; it closes what is left open. */
function owned(name: string, run: (ends: Owned, subject: LinkContractSubject) => Promise<void>): LinkContractCase {
  return unowned(name, async ({ dialled, accepted }, subject) => {
    const diallerOwner = new Recorder();
    const acceptedOwner = new Recorder();
    dialled.attach(diallerOwner);
    accepted.attach(acceptedOwner);
    await run({ dialled, accepted, diallerOwner, acceptedOwner, wait: (promise) => wait(subject, promise) }, subject);
  });
}

/** A case that starts without owners. */
function unowned(name: string, run: (pair: LinkPair, subject: LinkContractSubject) => Promise<void>): LinkContractCase {
  return {
    name,
    run: async (subject) => {
      const pair = await subject.pair(FIRST);
      try {
        await run(pair, subject);
      } finally {
        pair.dialled.close();
        pair.accepted.close();
      }
    },
  };
}

/** The contract of links (docs of `Link`); each case makes its own pair. */
export const linkContract: readonly LinkContractCase[] = [
  unowned('hands the first message to the accepting side', async ({ first }) => {
    check(same(first, FIRST), 'the first message is not what was dialled with');
  }),

  owned('keeps order and borders of messages', async ({ dialled, acceptedOwner, wait }) => {
    const messages = [3, 1, 1000, 2, 65_000, 17, 17, 400].map((length, i) => sample(i, length));
    for (const message of messages) dialled.send([message]);
    await wait(acceptedOwner.until((owner) => owner.messages.length === messages.length));
    checkMessages(acceptedOwner.messages, messages);
  }),

  owned('joins the parts of a message', async ({ dialled, acceptedOwner, wait }) => {
    const message = sample(1, 300);
    dialled.send([message.subarray(0, 1), new Uint8Array(0), message.subarray(1, 200), message.subarray(200)]);
    await wait(acceptedOwner.until((owner) => owner.messages.length === 1));
    checkMessages(acceptedOwner.messages, [message]);
  }),

  owned('carries 1 and 65,535 bytes', async ({ accepted, diallerOwner, wait }) => {
    const messages = [sample(1, 1), sample(2, MAX_MESSAGE_LENGTH), sample(3, 1)];
    for (const message of messages) accepted.send([message]);
    await wait(diallerOwner.until((owner) => owner.messages.length === messages.length));
    checkMessages(diallerOwner.messages, messages);
  }),

  owned('refuses 0 and 65,536 bytes', async ({ dialled, acceptedOwner, wait }) => {
    check(
      throwsRangeError(() => dialled.send([])),
      'no RangeError for no parts',
    );
    check(
      throwsRangeError(() => dialled.send([new Uint8Array(0)])),
      'no RangeError for 0 bytes',
    );
    check(
      throwsRangeError(() => dialled.send([new Uint8Array(MAX_MESSAGE_LENGTH), new Uint8Array(1)])),
      'no RangeError for 65,536 bytes',
    );
    dialled.send([FIRST]);
    await wait(acceptedOwner.until((owner) => owner.messages.length > 0));
    checkMessages(acceptedOwner.messages, [FIRST]);
  }),

  unowned('holds messages back until there is an owner', async ({ dialled, accepted }, subject) => {
    const messages = [sample(1, 10), sample(2, 20_000), sample(3, 30)];
    for (const message of messages) dialled.send([message]);
    await subject.idle();
    const owner = new Recorder();
    accepted.attach(owner);
    check(owner.messages.length === 0, 'a message came before attach() had returned');
    await wait(
      subject,
      owner.until(() => owner.messages.length === messages.length),
    );
    checkMessages(owner.messages, messages);
  }),

  unowned('goes on with the owner that attached last', async ({ dialled, accepted }, subject) => {
    const second = new Recorder();
    const first = new Recorder(() => accepted.attach(second));
    accepted.attach(first);
    const messages = [1, 2, 3].map((i) => sample(i, 100));
    for (const message of messages) dialled.send([message]);
    await wait(
      subject,
      second.until(() => second.messages.length === 2),
    );
    checkMessages(first.messages, messages.slice(0, 1));
    checkMessages(second.messages, messages.slice(1));
    dialled.close();
    await wait(
      subject,
      second.until(() => second.reasons.length > 0),
    );
    check(first.reasons.length === 0, 'the first owner was told of the close');
  }),

  owned('gives parts back with written()', async ({ dialled, diallerOwner, acceptedOwner, wait }) => {
    const expected: Uint8Array[] = [];
    for (let round = 1; round <= 5; round++) {
      const message = sample(round, 5000);
      expected.push(message.slice());
      dialled.send([message]);
      await wait(diallerOwner.until((owner) => owner.writtenSends === round));
      message.fill(0);
    }
    await wait(acceptedOwner.until((owner) => owner.messages.length === expected.length));
    checkMessages(acceptedOwner.messages, expected);
  }),

  owned('counts sends from the beginning of the link', async ({ accepted, diallerOwner, acceptedOwner, wait }) => {
    for (let i = 0; i < 100; i++) accepted.send([sample(i, 50), sample(i, 50)]);
    await wait(acceptedOwner.until((owner) => owner.writtenSends >= 100));
    await wait(diallerOwner.until((owner) => owner.messages.length === 100));
    check(acceptedOwner.writtenSends === 100, `100 sends were counted as ${acceptedOwner.writtenSends}`);
  }),

  owned(
    'says stop when the other side does not read, and when to go on',
    async ({ dialled, accepted, diallerOwner, acceptedOwner, wait }, subject) => {
      accepted.pause();
      const message = sample(1, 32_768);
      let sends = 0;
      for (;;) {
        let open = true;
        while (open && sends * message.length < MUCH_BYTES) {
          open = dialled.send([message]);
          sends++;
        }
        check(!open, 'send() never said stop');
        const before: number = diallerOwner.writables;
        await subject.idle();
        if (diallerOwner.writables === before) break;
      }
      check(acceptedOwner.messages.length === 0, 'a paused link delivered');
      accepted.resume();
      const before: number = diallerOwner.writables;
      await wait(diallerOwner.until((owner) => owner.writables > before));
      await wait(acceptedOwner.until((owner) => owner.messages.length === sends));
      check(
        acceptedOwner.messages.every((got) => same(got, message)),
        'a message is not what was sent',
      );
      check(sends * message.length >= UNSENT_LIMIT_BYTES, 'send() said stop below its limit');
    },
  ),

  unowned('stops at pause(), also between two messages that came together', async ({ dialled, accepted }, subject) => {
    const owner = new Recorder(() => accepted.pause());
    accepted.attach(owner);
    const messages = [1, 2, 3].map((i) => sample(i, 100));
    for (const message of messages) dialled.send([message]);
    for (let count = 1; count <= messages.length; count++) {
      await wait(
        subject,
        owner.until(() => owner.messages.length >= count),
      );
      await subject.idle();
      check(owner.messages.length === count, 'a paused link delivered');
      accepted.resume();
      check(owner.messages.length === count, 'a message came before resume() had returned');
    }
    checkMessages(owner.messages, messages);
  }),

  owned('lets out what was sent before a close', async ({ dialled, diallerOwner, acceptedOwner, wait }) => {
    const messages = Array.from({ length: 40 }, (_, i) => sample(i, 60_000));
    for (const message of messages) dialled.send([message]);
    dialled.close();
    await wait(diallerOwner.until((owner) => owner.reasons.length > 0));
    await wait(acceptedOwner.until((owner) => owner.reasons.length > 0));
    checkMessages(acceptedOwner.messages, messages);
  }),

  owned(
    'says closed exactly once on both sides, and nothing after it',
    async ({ dialled, accepted, diallerOwner, acceptedOwner, wait }, subject) => {
      accepted.send([FIRST]);
      await wait(diallerOwner.until((owner) => owner.messages.length === 1));
      const reason = new MatryoshkaError('shutdown');
      dialled.send([FIRST]);
      dialled.close(reason);
      check(diallerOwner.reasons.length === 0, 'closed() came before close() had returned');
      await wait(diallerOwner.until((owner) => owner.reasons.length > 0));
      await wait(acceptedOwner.until((owner) => owner.reasons.length > 0));
      dialled.close();
      accepted.close();
      await subject.idle();
      check(diallerOwner.reasons.length === 1 && diallerOwner.reasons[0] === reason, 'the closing side does not get its own reason once');
      check(acceptedOwner.reasons.length === 1, `the other side was told ${acceptedOwner.reasons.length} times`);
      check(acceptedOwner.reasons[0] instanceof MatryoshkaError, 'the other side gets no reason');
      check(diallerOwner.late === 0 && acceptedOwner.late === 0, 'something came after closed()');
    },
  ),

  owned('keeps the reason of the first close', async ({ accepted, acceptedOwner, wait }) => {
    accepted.send([FIRST]);
    const reason = new MatryoshkaError('session.path-stalled');
    accepted.close(reason);
    accepted.close(new MatryoshkaError('bug'));
    await wait(acceptedOwner.until((owner) => owner.reasons.length > 0));
    check(acceptedOwner.reasons[0] === reason, 'another reason than that of the first close');
  }),

  owned('is closed for the user where no reason is given', async ({ dialled, diallerOwner, wait }) => {
    dialled.close();
    await wait(diallerOwner.until((owner) => owner.reasons.length > 0));
    check(diallerOwner.reasons[0]?.code === 'closed', `closed for ${diallerOwner.reasons[0]?.code}`);
  }),

  owned('sends nothing after a close', async ({ dialled, accepted, acceptedOwner, wait }) => {
    dialled.send([FIRST]);
    dialled.close();
    check(!dialled.send([sample(9, 9)]), 'send() after close() is not false');
    await wait(acceptedOwner.until((owner) => owner.reasons.length > 0));
    checkMessages(acceptedOwner.messages, [FIRST]);
    check(!accepted.send([sample(9, 9)]), 'send() after closed() is not false');
  }),

  unowned('keeps messages and the close for a late owner', async ({ dialled, accepted }, subject) => {
    const closer = new Recorder();
    dialled.attach(closer);
    const messages = [sample(1, 10), sample(2, 1000)];
    for (const message of messages) dialled.send([message]);
    dialled.close();
    await subject.idle();
    const owner = new Recorder();
    accepted.attach(owner);
    await wait(
      subject,
      owner.until(() => owner.reasons.length > 0),
    );
    checkMessages(owner.messages, messages);
    check(owner.reasons.length === 1 && owner.late === 0, 'something came after closed()');
  }),

  owned('ends both sides where the accepting side closes without an answer', async ({ accepted, diallerOwner, acceptedOwner, wait }) => {
    const reason = new MatryoshkaError('session.busy');
    accepted.close(reason);
    await wait(acceptedOwner.until((owner) => owner.reasons.length > 0));
    check(acceptedOwner.reasons[0] === reason, 'the refusing side does not get its own reason');
    await wait(diallerOwner.until((owner) => owner.reasons.length > 0));
    check(diallerOwner.messages.length === 0, 'a refusal arrived as a message');
  }),

  owned('carries many small messages', async ({ dialled, acceptedOwner, wait }) => {
    const messages = Array.from({ length: 10_000 }, (_, i) => sample(i, 1 + (i % 40)));
    for (const message of messages) dialled.send([message]);
    await wait(acceptedOwner.until((owner) => owner.messages.length === messages.length));
    checkMessages(acceptedOwner.messages, messages);
  }),

  owned('carries both directions at once', async ({ dialled, accepted, diallerOwner, acceptedOwner, wait }) => {
    const messages = Array.from({ length: 64 }, (_, i) => sample(i, 1 + ((i * 997) % MAX_MESSAGE_LENGTH)));
    for (const message of messages) {
      dialled.send([message]);
      accepted.send([message]);
    }
    await wait(acceptedOwner.until((owner) => owner.messages.length === messages.length));
    await wait(diallerOwner.until((owner) => owner.messages.length === messages.length));
    checkMessages(acceptedOwner.messages, messages);
    checkMessages(diallerOwner.messages, messages);
  }),

  unowned('lets an owner overwrite what it is shown', async ({ dialled, accepted }, subject) => {
    const owner = new Recorder((bytes) => bytes.fill(0xff));
    accepted.attach(owner);
    const messages = Array.from({ length: 20 }, (_, i) => sample(i, 10_000));
    const copies = messages.map((message) => message.slice());
    for (const message of messages) dialled.send([message]);
    await wait(
      subject,
      owner.until(() => owner.messages.length === messages.length),
    );
    checkMessages(owner.messages, copies);
    checkMessages(messages, copies);
  }),
];
