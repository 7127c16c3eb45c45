import type { Session } from '@matryoshka/peer';
import type { ServedLink } from '@matryoshka/relay';
import { parseEndpoint } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { CarrierGraph } from './carrier-graph.ts';

/** One end of a session, as far as it is looked at. */
function end(id: string, local: string, remote: string, carriers: readonly string[] = []): Session {
  return { id, link: { local: parseEndpoint(local), remote: parseEndpoint(remote), info: { carriers } } } as unknown as Session;
}

function served(upstream: readonly [Session, bigint], downstream: readonly [Session, bigint]): ServedLink {
  const [up, down] = [upstream, downstream].map(([session, port]) => ({ session, port }));
  return { upstream: up, downstream: down } as unknown as ServedLink;
}

// A and B, B and C are connected; A has a session to C through B. D is beyond.
const [ab, ba] = [end('a1', '10.1.0.1:5000', '10.2.0.1:999'), end('b1', '10.2.0.1:999', '10.1.0.1:5000')];
const [bc, cb] = [end('b2', '10.2.0.1:5001', '10.3.0.1:999'), end('c1', '10.3.0.1:999', '10.2.0.1:5001')];
const [ac, ca] = [end('a2', '10.1.0.1:5000:7', '10.3.0.1:999:7', ['a1']), end('c2', '10.3.0.1:999:8', '10.2.0.1:5001:8', ['c1'])];
const throughB = served([ba, 7n], [bc, 8n]);

describe('who carries whom', () => {
  test('sessions over relay links of any nesting are no cycle', () => {
    const onTop = end('a3', '10.1.0.1:5000:9', '10.4.0.1:999:9', ['a2', 'a1']);
    const views = [
      { sessions: new Set([ab, ac, onTop]), served: [] },
      { sessions: new Set([ba, bc]), served: [throughB] },
      { sessions: new Set([cb, ca]), served: [] },
    ];
    expect(new CarrierGraph(views).cycle()).toBeUndefined();
  });

  test('a session that is carried by one that it carries is one, and no single node sees it', () => {
    // What carries A's session to B is forwarded by C, over its session with A: port by port, each knows the next one only.
    const relayed = end('a1', '10.1.0.1:5000:9', '10.2.0.1:999:9');
    const far = end('b1', '10.2.0.1:999:9', '10.1.0.1:5000:9');
    const views = [
      { sessions: new Set([relayed, ac]), served: [] },
      { sessions: new Set([far, bc]), served: [served([far, 7n], [bc, 8n])] },
      { sessions: new Set([cb, ca]), served: [served([ca, 9n], [cb, 9n])] },
    ];
    expect(new CarrierGraph(views).cycle()).toMatch(/^port \d is carried by .*port \d/);
  });
});
