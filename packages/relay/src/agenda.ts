import type { Clock, Timer } from '@matryoshka/transport';

/** What is due at some time. */
export interface Task {
  due(): void;
}

/** A task in an agenda, to be taken out again. */
export interface Entry {
  readonly atMs: number;
  readonly task: Task;
  /** Where it stands; -1: nowhere any more. */
  index: number;
}

/** Tasks by their times, under one timer: a heap, so that adding and taking out stay cheap among tens of thousands. */
export class Agenda {
  readonly #clock: Clock;
  readonly #heap: Entry[] = [];
  #timer: Timer | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Runs `task` in `ms` milliseconds, once. */
  add(ms: number, task: Task): Entry {
    const entry: Entry = { atMs: this.#clock.now() + ms, task, index: this.#heap.length };
    this.#heap.push(entry);
    this.#up(entry);
    this.#wind();
    return entry;
  }

  /** Takes a task out again. Idempotent. */
  remove(entry: Entry): void {
    const { index } = entry;
    if (index < 0) return;
    const last = this.#heap.pop() as Entry;
    if (last !== entry) {
      this.#put(last, index);
      this.#up(last);
      this.#down(last);
    }
    entry.index = -1;
  }

  /** Runs all tasks there are, whenever they are due. */
  hurry(): void {
    for (let left = this.#heap.length; left > 0; left--) this.#runFirst();
  }

  readonly #run = (): void => {
    this.#timer = undefined;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.now();
    // Those that are added meanwhile have their turn next time.
    for (let left = this.#heap.length; left > 0 && (this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY) <= nowMs; left--) this.#runFirst();
    this.#wind();
  };

  #runFirst(): void {
    const first = this.#heap[0];
    if (first === undefined) return;
    this.remove(first);
    first.task.due();
  }

  #wind(): void {
    const first = this.#heap[0];
    if (first === undefined || first.atMs >= this.#timerAtMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = first.atMs;
    this.#timer = this.#clock.after(first.atMs - this.#clock.now(), this.#run);
  }

  #put(entry: Entry, index: number): void {
    this.#heap[index] = entry;
    entry.index = index;
  }

  #up(entry: Entry): void {
    while (entry.index > 0) {
      const at = entry.index;
      const parent = this.#heap[(at - 1) >> 1] as Entry;
      if (parent.atMs <= entry.atMs) return;
      this.#put(parent, at);
      this.#put(entry, (at - 1) >> 1);
    }
  }

  #down(entry: Entry): void {
    for (;;) {
      const at = entry.index;
      const left = this.#heap[2 * at + 1];
      const right = this.#heap[2 * at + 2];
      const least = right !== undefined && right.atMs < (left as Entry).atMs ? right : left;
      if (least === undefined || least.atMs >= entry.atMs) return;
      const to = least.index;
      this.#put(least, at);
      this.#put(entry, to);
    }
  }
}
