import type { RecordWriter } from '@matryoshka/session';

/**
 * What each member of a round may send when its turn comes, in bytes: small, so that a round of many is short. Whoever sends
 * a longer message owes the rest, and is passed over until it is paid.
 */
export const QUANTUM_BYTES: number = 8 * 1024;
/** Nobody owes more, in bytes: the longest message. */
const MAX_DEBT_BYTES: number = 64 * 1024;

/** Whatever has bytes to send: a stream, a relay link. The flush asks those that are ready in turn. */
export interface Source {
  /** Its place in the schedule of the outbox that it sends through. */
  readonly turn: Turn;
  /**
   * Writes at most one message into `writer`. Returns whether it has more to send now; it writes nothing and returns
   * true where the record has no room for it. What is written counts as consumed.
   */
  pull(writer: RecordWriter): boolean;
  /** Comes after the pull that asked for it by `Outbox.drained`, when the source may send again. */
  drained(): void;
}

/** A member of a round: it is one of the links of the list, so that taking its turn allocates nothing. */
class Member<T> {
  /** Its neighbour in the round, while it waits. */
  before: T | undefined;
  /** Its neighbour on the other side. */
  after: T | undefined;
  /** Whether it is in the round. */
  waiting = false;
  /** Bytes that it may still send in its turn; below 0 what it owes. */
  balance = 0;
}

/** Members that wait, in the order of their turns. */
class Round<T extends Member<T>> {
  #first: T | undefined;
  #last: T | undefined;

  get empty(): boolean {
    return this.#first === undefined;
  }

  /** At the end, with a share of its own; what it owes from before stays. */
  add(member: T): void {
    member.waiting = true;
    member.balance = Math.min(member.balance, 0) + QUANTUM_BYTES;
    this.#append(member);
  }

  remove(member: T): void {
    member.waiting = false;
    this.#unlink(member);
  }

  /** Whose turn it is: those that have used theirs up get the next one, behind the others. */
  current(): T | undefined {
    for (;;) {
      const member = this.#first;
      if (member === undefined || member.balance > 0) return member;
      member.balance += QUANTUM_BYTES;
      if (member === this.#last) {
        // Nobody waits behind it.
        member.balance = QUANTUM_BYTES;
        return member;
      }
      this.#unlink(member);
      this.#append(member);
    }
  }

  #append(member: T): void {
    member.before = this.#last;
    if (this.#last === undefined) this.#first = member;
    else this.#last.after = member;
    this.#last = member;
  }

  #unlink(member: T): void {
    const { before, after } = member;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    member.before = undefined;
    member.after = undefined;
  }
}

/** Sources that share one turn among those of others. */
class Group extends Member<Group> {
  readonly round: Round<Turn> = new Round();
}

/** The place of one source in a schedule. */
export class Turn extends Member<Turn> {
  /** Whose place it is. */
  readonly source: Source;
  /** With whom it shares a turn of the schedule. */
  readonly group: Group;

  /** Made by {@link Scheduler.turn}. */
  constructor(source: Source, group: Group) {
    super();
    this.source = source;
    this.group = group;
  }
}

/**
 * Shares a session fairly, by bytes and whatever the lengths of their messages, between those whom it carries data for, and
 * what each one has between its sources: deficit round robin at both levels (docs/protocol.md §8.3). A source that cannot
 * send costs the others nothing, and choosing takes the same time however many there are.
 */
export class Scheduler {
  readonly #groups: Round<Group> = new Round();
  readonly #own: Group = new Group();
  readonly #groupOf = new WeakMap<object, Group>();

  /**
   * A place for `source`.
   * @param carriedFor - whom its bytes are carried for; undefined: this node itself, for its streams and its own relay links
   */
  turn(source: Source, carriedFor?: object): Turn {
    if (carriedFor === undefined) return new Turn(source, this.#own);
    let group = this.#groupOf.get(carriedFor);
    if (group === undefined) {
      group = new Group();
      this.#groupOf.set(carriedFor, group);
    }
    return new Turn(source, group);
  }

  /** The source has something to send. */
  add(turn: Turn): void {
    if (turn.waiting) return;
    const { group } = turn;
    if (!group.waiting) this.#groups.add(group);
    group.round.add(turn);
  }

  /** The source has nothing to send any more. */
  remove(turn: Turn): void {
    if (!turn.waiting) return;
    const { group } = turn;
    group.round.remove(turn);
    if (group.round.empty) this.#groups.remove(group);
  }

  /** The source whose turn it is; it stays so while it does not send. */
  next(): Source | undefined {
    return this.#groups.current()?.round.current()?.source;
  }

  /** The source has sent so many bytes, in its turn. */
  sent(turn: Turn, bytes: number): void {
    charge(turn, bytes);
    charge(turn.group, bytes);
  }
}

function charge(member: { balance: number }, bytes: number): void {
  member.balance = Math.max(member.balance - bytes, -MAX_DEBT_BYTES);
}
