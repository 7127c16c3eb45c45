import { type HandshakePattern, type Role, type Token, senderOf } from './pattern.ts';

/** Tokens that have happened, and `e of the initiator` and the like for the keys. */
type Seen = Set<string>;

// Patterns that passed: every handshake checks its own, most of them the same few.
const VALID = new WeakSet<HandshakePattern>();

/**
 * Refuses patterns that would not be secure, or not computable, whatever keys they are given (Noise §7.3, §9.3, Noise
 * HFS §4).
 * @throws RangeError naming the rule that is broken
 */
export function assertValidPattern(pattern: HandshakePattern): void {
  if (VALID.has(pattern)) return;
  new PatternCheck(pattern.name).run(pattern);
  VALID.add(pattern);
}

class PatternCheck {
  readonly #name: string;
  readonly #seen: Seen = new Set();

  constructor(name: string) {
    this.#name = name;
  }

  run({ preMessages, messages }: HandshakePattern): void {
    if (messages.length === 0) throw new RangeError(`pattern ${this.#name} has no messages`);
    for (const role of preMessages) this.#once(`s of the ${role}`, 'Noise §7.3 rule 2');
    for (const [index, tokens] of messages.entries()) {
      for (const token of tokens) this.#take(token, senderOf(index));
      this.#encrypt(senderOf(index), 'a payload');
    }
    if (this.#seen.has('e1') && !this.#seen.has('ekem1')) this.#fail('Noise HFS §4', 'e1 without ekem1');
    // Noise §7.4: after a one-way handshake only the initiator sends, and its payload has been looked at.
    if (messages.length === 1) return;
    for (const role of ['initiator', 'responder'] as const) this.#encrypt(role, 'transport messages');
  }

  #take(token: Token, sender: Role): void {
    const receiver: Role = sender === 'initiator' ? 'responder' : 'initiator';
    switch (token) {
      case 'e':
        this.#once(`e of the ${sender}`, 'Noise §7.3 rule 2');
        break;
      case 's':
        this.#encrypt(sender, 's');
        this.#once(`s of the ${sender}`, 'Noise §7.3 rule 2');
        break;
      case 'e1':
        this.#encrypt(sender, 'e1');
        this.#once('e1', 'Noise HFS §4');
        this.#seen.add(`e1 of the ${sender}`);
        break;
      case 'ekem1':
        // It stands right after `ee` (Noise HFS §5), in KK and IK before the `se` that rule 4 asks of what comes after `ss`.
        this.#needs(token, 'Noise HFS §4', 'ee', `e1 of the ${receiver}`);
        this.#once('ekem1', 'Noise HFS §4');
        break;
      case 'psk':
        this.#seen.add('psk');
        break;
      case 'ee':
      case 'es':
      case 'se':
      case 'ss':
        this.#needs(token, 'Noise §7.3 rule 1', `${token[0]} of the initiator`, `${token[1]} of the responder`);
        this.#once(token, 'Noise §7.3 rule 3');
        break;
      default:
        token satisfies never;
        throw new RangeError(`pattern ${this.#name} has an unknown token ${JSON.stringify(token)}`);
    }
  }

  /** Whether what `role` encrypts now is secret, and under a nonce of its own. */
  #encrypt(role: Role, what: string): void {
    // What was mixed with the own static key must be mixed with the own ephemeral key too.
    const [withStatic, both] = role === 'initiator' ? ['se', 'es'] : ['es', 'se'];
    const fail = (rule: string, after: string, without: string): never =>
      this.#fail(rule, `the ${role} encrypts ${what} after ${after} without ${without}`);
    if (this.#seen.has(withStatic) && !this.#seen.has('ee')) fail('Noise §7.3 rule 4', withStatic, 'ee');
    if (this.#seen.has('ss') && !this.#seen.has(both)) fail('Noise §7.3 rule 4', 'ss', both);
    // A pre-shared key alone would be used with the same nonce again and again.
    if (this.#seen.has('psk') && !this.#seen.has(`e of the ${role}`)) fail('Noise §9.3', 'psk', 'e');
  }

  #once(event: string, rule: string): void {
    if (this.#seen.has(event)) this.#fail(rule, `${event} comes twice`);
    this.#seen.add(event);
  }

  #needs(token: Token, rule: string, ...events: readonly string[]): void {
    for (const event of events) if (!this.#seen.has(event)) this.#fail(rule, `${token} before ${event}`);
  }

  #fail(rule: string, what: string): never {
    throw new RangeError(`pattern ${this.#name} is not valid: ${what} (${rule})`);
  }
}
