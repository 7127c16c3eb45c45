/** The caller's own mistake, so no code of ours. @throws RangeError unless `bytes` has exactly `length` bytes */
export function checkLength(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.length !== length) throw new RangeError(`${what} must have ${length} bytes, not ${bytes.length}`);
}

/** The first `length` bytes of `out`. @throws RangeError where it is shorter */
export function outputOf(out: Uint8Array, length: number): Uint8Array {
  if (out.length === length) return out;
  if (out.length < length) throw new RangeError(`out must have at least ${length} bytes, not ${out.length}`);
  return out.subarray(0, length);
}
