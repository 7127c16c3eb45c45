import { type HandshakePattern, type Role, type Token, isDh, senderOf } from './pattern.ts';
import { assertValidPattern } from './pattern-validity.ts';

const TOKENS: readonly Token[] = ['e', 's', 'ee', 'es', 'se', 'ss', 'psk', 'e1', 'ekem1'];

/**
 * A pattern from its token text in the notation of the specification (Noise §7.1), its lines separated by line breaks
 * or by `|`, modified by `modifiers` (`hfs`, `psk0`, `psk1`, …).
 * @throws RangeError for text that is no valid pattern (Noise §7.3), or a modifier that does not fit it
 */
export function parsePattern(base: string, text: string, modifiers: readonly string[] = []): HandshakePattern {
  const lines = text
    .split(/[|\n]/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const dots = lines.indexOf('...');
  const preMessages = lines.slice(0, Math.max(dots, 0)).map(parsePreMessage);
  const messages = lines.slice(dots + 1).map(parseMessage);
  const name = base + modifiers.join('+');
  if (messages.length === 0) throw new RangeError(`pattern ${name} has no messages`);
  if (new Set(modifiers).size !== modifiers.length) throw new RangeError(`pattern ${name} repeats a modifier`);
  for (const modifier of modifiers) applyModifier(messages, modifier, name);
  const pattern = { name, preMessages, messages };
  assertValidPattern(pattern);
  return pattern;
}

function parsePreMessage(line: string): Role {
  // Pre-messages with `e` belong to the fallback modifier (Noise §10), which we do not have.
  if (line === '-> s') return 'initiator';
  if (line === '<- s') return 'responder';
  throw new RangeError(`${JSON.stringify(line)} is not a pre-message: "-> s" or "<- s" expected`);
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
      if (token === undefined) throw new RangeError(`unknown token in ${JSON.stringify(line)}`);
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
  if (message === undefined) throw new RangeError(`pattern ${name} has only ${messages.length} messages`);
  if (position === 0) message.unshift('psk');
  else message.push('psk');
}

// Noise HFS §5: `e1` follows the first `e`, or the first DH of that message, so that it travels encrypted; `ekem1`
// follows the first `ee`. (The draft's table has KK and IN otherwise; its text is what we follow.)
function applyHfs(messages: Token[][], name: string): void {
  const first = messages.find((message) => message.includes('e'));
  const answer = messages.find((message) => message.includes('ee'));
  if (first === undefined || answer === undefined) throw new RangeError(`hfs needs a pattern with e and ee, which ${name} is not`);
  const dh = first.findIndex(isDh);
  first.splice((dh === -1 ? first.indexOf('e') : dh) + 1, 0, 'e1');
  answer.splice(answer.indexOf('ee') + 1, 0, 'ekem1');
}
