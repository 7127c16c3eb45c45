/** What a process of Node holds, in bytes. */
export interface MemoryInUse {
  /** Objects of the script, and buffers outside its heap. */
  readonly heapBytes: number;
  readonly residentBytes: number;
}

/** After a collection of garbage. @throws Error where the process was not started with `--expose-gc` */
export function memoryInUse(): MemoryInUse {
  if (globalThis.gc === undefined) throw new Error('started without --expose-gc');
  // The first one lets go of what only finalizers hold.
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heapBytes: heapUsed + external, residentBytes: rss };
}
