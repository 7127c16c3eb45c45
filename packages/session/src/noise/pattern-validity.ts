import { type HandshakePattern, type Role, type Token, senderOf } from './pattern.ts';

/**
 * Refuses patterns that would not be secure, or not computable, whatever keys they are given (Noise §7.3, §9.3).
 * @throws RangeError naming the rule that is broken
 */
export function assertValidPattern(pattern: HandshakePattern): void {
  const seen = new Set<string>();
  const fail = (rule: string): never => {
    throw new RangeError(`pattern ${pattern.name} is not valid: ${rule}`);
  };
  const once = (event: string): void => {
    if (seen.has(event)) fail(`${event} comes twice`);
    seen.add(event);
  };
  const needs = (token: Token, ...events: readonly string[]): void => {
    for (const event of events) if (!seen.has(event)) fail(`${token} before ${event}`);
  };

  for (const role of pattern.preMessages) once(`s of the ${role}`);
  for (const [index, tokens] of pattern.messages.entries()) {
    const sender = senderOf(index);
    for (const token of tokens) {
      switch (token) {
        case 'e':
          once(`e of the ${sender}`);
          break;
        case 's':
          if (encrypts(seen)) assertMayEncrypt(seen, sender, fail);
          once(`s of the ${sender}`);
          break;
        case 'e1':
          if (encrypts(seen)) assertMayEncrypt(seen, sender, fail);
          once('e1');
          seen.add(`e1 of the ${sender}`);
          break;
        case 'ekem1':
          // Noise HFS §5 wants it right after `ee`, in KK and IK before the `se` that rule 4 asks of what comes after `ss`.
          needs(token, 'ee', `e1 of the ${sender === 'initiator' ? 'responder' : 'initiator'}`);
          once('ekem1');
          break;
        case 'psk':
          seen.add('psk');
          break;
        case 'ee':
        case 'es':
        case 'se':
        case 'ss':
          // The first letter is the initiator's key, the second the responder's.
          needs(token, `${token[0]} of the initiator`, `${token[1]} of the responder`);
          once(token);
          break;
        default:
          token satisfies never;
      }
    }
    if (encrypts(seen)) assertMayEncrypt(seen, sender, fail);
  }
  if (seen.has('e1') && !seen.has('ekem1')) fail('e1 without ekem1');
}

function encrypts(seen: ReadonlySet<string>): boolean {
  return ['ee', 'es', 'se', 'ss', 'psk', 'ekem1'].some((token) => seen.has(token));
}

function assertMayEncrypt(seen: ReadonlySet<string>, sender: Role, fail: (rule: string) => never): void {
  // Noise §7.3 rule 4: what was mixed with the own static key must be mixed with the own ephemeral key too.
  const [withStatic, both] = sender === 'initiator' ? ['se', 'es'] : ['es', 'se'];
  if (seen.has(withStatic) && !seen.has('ee')) fail(`the ${sender} encrypts after ${withStatic} without ee`);
  if (seen.has('ss') && !seen.has(both)) fail(`the ${sender} encrypts after ss without ${both}`);
  // Noise §9.3: a pre-shared key alone would be used with the same nonce again and again.
  if (seen.has('psk') && !seen.has(`e of the ${sender}`)) fail(`the ${sender} encrypts after psk without e`);
}
