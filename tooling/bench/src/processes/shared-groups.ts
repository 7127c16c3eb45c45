import { ProcessGroup } from './process-group.ts';

interface Entry {
  readonly group: ProcessGroup;
  readonly value: Promise<unknown>;
}

/** What takes long to start and serves several scenarios: started when first asked for, ended with the run. */
export class SharedGroups {
  readonly #entries = new Map<string, Entry>();

  /** The same for every caller with this key. Where starting it failed, it fails for all of them. */
  async get<T>(key: string, start: (group: ProcessGroup) => Promise<T>): Promise<T> {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      const group = new ProcessGroup(key);
      entry = { group, value: start(group) };
      this.#entries.set(key, entry);
    }
    return entry.value as Promise<T>;
  }

  /** Ends everything that was started. */
  async close(): Promise<void> {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    // Whoever asked for it was told of its failure.
    await Promise.allSettled(entries.map(({ value }) => value));
    await Promise.all(entries.map(({ group }) => group.close()));
  }
}
