import type { Random } from '@matryoshka/session';

const word = new Uint8Array(4);
const view = new DataView(word.buffer);

/** A number from 0 to below 1, of 32 random bits. */
export function randomReal(random: Random): number {
  random.fill(word);
  return view.getUint32(0) / 0x1_0000_0000;
}
