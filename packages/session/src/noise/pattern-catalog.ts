import type { HandshakePattern } from './pattern.ts';
import { parsePattern } from './pattern-text.ts';

/** Token text of every pattern that has a name of its own, without modifiers. */
const CATALOG: Readonly<Record<string, string>> = {
  // Noise §7.4: one-way
  N: '<- s | ... | -> e, es',
  K: '-> s | <- s | ... | -> e, es, ss',
  X: '<- s | ... | -> e, es, s, ss',

  // Noise §7.5: interactive, fundamental
  NN: '-> e | <- e, ee',
  NK: '<- s | ... | -> e, es | <- e, ee',
  NX: '-> e | <- e, ee, s, es',
  XN: '-> e | <- e, ee | -> s, se',
  XK: '<- s | ... | -> e, es | <- e, ee | -> s, se',
  XX: '-> e | <- e, ee, s, es | -> s, se',
  KN: '-> s | ... | -> e | <- e, ee, se',
  KK: '-> s | <- s | ... | -> e, es, ss | <- e, ee, se',
  KX: '-> s | ... | -> e | <- e, ee, se, s, es',
  IN: '-> e, s | <- e, ee, se',
  IK: '<- s | ... | -> e, es, s, ss | <- e, ee, se',
  IX: '-> e, s | <- e, ee, se, s, es',

  // Noise §7.6, §18.1: interactive, deferred
  NK1: '<- s | ... | -> e | <- e, ee, es',
  NX1: '-> e | <- e, ee, s | -> es',
  X1N: '-> e | <- e, ee | -> s | <- se',
  X1K: '<- s | ... | -> e, es | <- e, ee | -> s | <- se',
  XK1: '<- s | ... | -> e | <- e, ee, es | -> s, se',
  X1K1: '<- s | ... | -> e | <- e, ee, es | -> s | <- se',
  X1X: '-> e | <- e, ee, s, es | -> s | <- se',
  XX1: '-> e | <- e, ee, s | -> es, s, se',
  X1X1: '-> e | <- e, ee, s | -> es, s | <- se',
  K1N: '-> s | ... | -> e | <- e, ee | -> se',
  K1K: '-> s | <- s | ... | -> e, es | <- e, ee | -> se',
  KK1: '-> s | <- s | ... | -> e | <- e, ee, se, es',
  K1K1: '-> s | <- s | ... | -> e | <- e, ee, es | -> se',
  K1X: '-> s | ... | -> e | <- e, ee, s, es | -> se',
  KX1: '-> s | ... | -> e | <- e, ee, se, s | -> es',
  K1X1: '-> s | ... | -> e | <- e, ee, s | -> se, es',
  I1N: '-> e, s | <- e, ee | -> se',
  I1K: '<- s | ... | -> e, es, s | <- e, ee | -> se',
  IK1: '<- s | ... | -> e, s | <- e, ee, se, es',
  I1K1: '<- s | ... | -> e, s | <- e, ee, es | -> se',
  I1X: '-> e, s | <- e, ee, s, es | -> se',
  IX1: '-> e, s | <- e, ee, se, s | -> es',
  I1X1: '-> e, s | <- e, ee, s | -> se, es',
};

/** Names of the patterns without modifiers: 3 one-way, 12 fundamental, 23 deferred. */
export const PATTERN_NAMES: readonly string[] = Object.keys(CATALOG);

/**
 * The pattern behind a name such as `XX`, `NNpsk0+psk2` or `XXhfs+psk0` (Noise §8).
 * @param own - token text of further patterns by name, without modifiers
 * @throws RangeError for an unknown name or modifier, or a modifier that does not fit; for own patterns that are not
 * valid, or have the name of one above
 */
export function namedPattern(name: string, own: Readonly<Record<string, string>> = {}): HandshakePattern {
  // Capitals and digits are the base, the first modifier follows without a sign (Noise §8.1).
  const parts = /^([A-Z][A-Z0-9]*)(.*)$/.exec(name);
  const base = parts?.[1] ?? '';
  const modifiers = parts?.[2] ?? '';
  const taken = Object.keys(own).find((key) => Object.hasOwn(CATALOG, key));
  if (taken !== undefined) throw new RangeError(`${taken} is a pattern of the specification: it cannot be another one`);
  const texts = Object.hasOwn(own, base) ? own : CATALOG;
  if (!Object.hasOwn(texts, base)) throw new RangeError(`unknown handshake pattern ${JSON.stringify(name)}`);
  return parsePattern(base, texts[base] as string, modifiers === '' ? [] : modifiers.split('+'));
}
