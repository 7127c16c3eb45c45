import { bytesToHex } from '@noble/hashes/utils.js';

/** @throws Error that names `what` unless `condition` holds */
export function isTrue(condition: boolean, what: string): void {
  if (!condition) throw new Error(`${what}: expected true`);
}

/** @throws Error that names `what` unless both values are the same */
export function isSame(actual: number | string, expected: number | string, what: string): void {
  if (actual !== expected) throw new Error(`${what}: expected ${expected}, got ${actual}`);
}

/** Same bytes, in a plain Uint8Array: a subclass has other methods under the same names. @throws Error that names `what` */
export function isBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  isTrue(Object.getPrototypeOf(actual) === Uint8Array.prototype, `${what} is a plain Uint8Array`);
  if (actual.length === expected.length && actual.every((byte, index) => byte === expected[index])) return;
  throw new Error(`${what}: expected ${shorten(expected)}, got ${shorten(actual)}`);
}

/** @throws Error that names `what` unless `run` throws something that `matches` */
export function throwsWhere(run: () => unknown, matches: (error: unknown) => boolean, what: string): void {
  try {
    run();
  } catch (error) {
    if (matches(error)) return;
    throw new Error(`${what}: threw ${String(error)}`, { cause: error });
  }
  throw new Error(`${what}: did not throw`);
}

/** @throws Error that names `what` unless `run` throws a RangeError: the answer to the caller's own wrong length */
export function throwsRangeError(run: () => unknown, what: string): void {
  throwsWhere(run, (error) => error instanceof RangeError, what);
}

function shorten(bytes: Uint8Array): string {
  const shown = bytesToHex(bytes.subarray(0, 64));
  return bytes.length > 64 ? `${shown}… (${bytes.length} bytes)` : shown;
}
