import { type HandshakePattern, type Role, type Token, isDh, senderOf } from './pattern.ts';
import { assertValidPattern } from './pattern-validity.ts';

const TOKENS: readonly Token[] = ['e', 's', 'ee', 'es', 'se', 'ss', 'psk', 'e1', 'ekem1'];
// Noise §8.1: capitals and digits; the first modifier follows without a sign, further ones after `+`.
const NAME = /^[A-Z][A-Z0-9]*(?:[a-z][a-z0-9]*(?:\+[a-z][a-z0-9]*)*)?$/;

/**
 * A pattern from its token text in the notation of the specification (Noise §7.1), its lines separated by line breaks
 * or by `|`, modified by `modifiers` (`hfs`, `psk0`, `psk1`, …). The text may begin with its name and a colon:
 *
 * ```text
 * NK:
 *   <- s
 *   ...
 *   -> e, es
 *   <- e, ee
 * ```
 * @param base - its name as in a protocol name, such as `NK`; the modifiers are added to it
 * @throws RangeError for text that is no valid pattern (Noise §7.3, §9.3), naming the rule, or a modifier that does not
 * fit it
 */
export function parsePattern(base: string, text: string, modifiers: readonly string[] = []): HandshakePattern {
  if (!NAME.test(base)) throw new RangeError(`${JSON.stringify(base)} is no name of a pattern: capitals and digits expected`);
  const name = base + (modifiers.length > 0 && /[a-z]/.test(base) ? '+' : '') + modifiers.join('+');
  if (new Set(modifiers).size !== modifiers.length) throw new RangeError(`pattern ${name} repeats a modifier`);
  const lines = linesOf(text, base);
  const dots = lines.indexOf('...');
  const known = lines.slice(0, Math.max(dots, 0)).map(parsePreMessage);
  const messages = lines.slice(dots + 1).map(parseMessage);
  for (const modifier of modifiers) applyModifier(messages, modifier, name);
  const pattern: HandshakePattern = {
    name,
    // Noise §5.3: the initiator's key is hashed first, wherever the text has it.
    preMessages: known.toSorted(),
    messages,
  };
  assertValidPattern(pattern);
  return pattern;
}

function linesOf(text: string, base: string): readonly string[] {
  const lines = text
    .split(/[|\n]/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines[0]?.endsWith(':') !== true) return lines;
  if (lines[0] !== `${base}:`) throw new RangeError(`the text of pattern ${base} begins with ${JSON.stringify(lines[0])}`);
  return lines.slice(1);
}

function parsePreMessage(line: string): Role {
  const [, arrow, key] = /^(->|<-)\s*(\S.*)$/.exec(line) ?? [];
  // Pre-messages with `e` belong to the fallback modifier (Noise §10), which we do not have.
  if (arrow === undefined || key !== 's') throw new RangeError(`${JSON.stringify(line)} is not a pre-message: "-> s" or "<- s" expected`);
  return arrow === '->' ? 'initiator' : 'responder';
}

function parseMessage(line: string, index: number): Token[] {
  const arrow = senderOf(index) === 'initiator' ? '->' : '<-';
  if (!line.startsWith(arrow))
    throw new RangeError(`message ${index + 1} of a pattern must begin with ${arrow}, not ${JSON.stringify(line)}`);
  return line
    .slice(arrow.length)
    .split(',')
    .map((text) => {
      const token = TOKENS.find((known) => known === text.trim());
      if (token === undefined) throw new RangeError(`unknown token ${JSON.stringify(text.trim())} in ${JSON.stringify(line)}`);
      return token;
    });
}

function applyModifier(messages: Token[][], modifier: string, name: string): void {
  const psk = /^psk(0|[1-9]\d?)$/.exec(modifier);
  if (psk !== null) applyPsk(messages, Number(psk[1]), name);
  else if (modifier === 'hfs') applyHfs(messages, name);
  else throw new RangeError(`unknown modifier ${JSON.stringify(modifier)} in pattern ${name}`);
}

// Noise §9.4: psk0 begins the first message, pskN ends the Nth.
function applyPsk(messages: Token[][], position: number, name: string): void {
  const message = messages[Math.max(position - 1, 0)];
  if (message === undefined) throw new RangeError(`psk${position} does not fit pattern ${name}: it has ${messages.length} messages`);
  if (position === 0) message.unshift('psk');
  else message.push('psk');
}

// Noise HFS §5: `e1` follows the first `e`, or the first DH of that message, so that it travels encrypted; `ekem1`
// follows the first `ee`. (The draft's table has KK and IN otherwise; its text is what we follow.)
function applyHfs(messages: Token[][], name: string): void {
  const first = messages.find((message) => message.includes('e'));
  const answer = messages.find((message) => message.includes('ee'));
  if (first === undefined || answer === undefined) throw new RangeError(`hfs does not fit pattern ${name}: it has no ee`);
  const dh = first.findIndex(isDh);
  first.splice((dh === -1 ? first.indexOf('e') : dh) + 1, 0, 'e1');
  answer.splice(answer.indexOf('ee') + 1, 0, 'ekem1');
}
