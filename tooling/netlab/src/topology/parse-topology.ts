import { isIP } from 'node:net';
import type { Host, Router, Topology } from './topology.ts';

/** Branch marks are so wide, and so are the gaps below them. */
const INDENT_LENGTH = 3;
const LINE = /^((?:[│ ] {2})*(?:[├└]─ )?)([A-Za-z][\w-]*) *(.*)$/;

interface Line {
  readonly name: string;
  readonly depth: number;
  readonly words: readonly string[];
  readonly text: string;
}

/**
 * Reads the drawing of a network. Who has something below it is a router, with `nat ADDRESS` one that hides it; all others
 * are hosts with their addresses:
 *
 * ```
 * internet
 * ├─ A        66.171.45.90   2a01:4f8:1::90
 * └─ home     nat 93.184.216.34
 *    └─ N     192.168.1.10
 * ```
 * @throws SyntaxError that names the line
 */
export function parseTopology(drawing: string): Topology {
  const lines = drawing
    .split('\n')
    .filter((text) => text.trim() !== '')
    .map(parseLine);
  const routers: Router[] = [];
  const hosts: Host[] = [];
  const taken = new Set<string>();
  /** Who is above, by depth. */
  const above: string[] = [];
  for (const [index, line] of lines.entries()) {
    const { name, depth, words } = line;
    const isRouter = (lines[index + 1]?.depth ?? 0) > depth;
    if (depth === 0 ? index > 0 : depth > above.length) throw wrong(line, 'it hangs on nothing');
    above.length = depth;
    if (isRouter) routers.push({ name, above: above[depth - 1], nat: natOf(line) });
    else hosts.push({ name, above: routerAbove(line, above), addresses: addressesOf(line) });
    above.push(name);
    for (const each of [name, ...words.filter((word) => isIP(word) !== 0)]) {
      if (taken.has(each)) throw wrong(line, `${each} is there twice`);
      taken.add(each);
    }
  }
  if (hosts.length === 0) throw new SyntaxError('a network needs a host');
  return { routers, hosts };
}

function parseLine(text: string): Line {
  const [, marks, name, rest] = LINE.exec(text.trimEnd()) ?? [];
  if (marks === undefined || name === undefined || rest === undefined)
    throw new SyntaxError(`expected branch marks, a name and addresses, not ${JSON.stringify(text)}`);
  return { name, depth: marks.length / INDENT_LENGTH, words: rest.split(/\s+/).filter((word) => word !== ''), text };
}

function routerAbove(line: Line, above: readonly string[]): string {
  const router = above.at(-1);
  if (router === undefined) throw wrong(line, 'a host hangs on a router');
  return router;
}

function natOf(line: Line): string | undefined {
  const [keyword, address, ...more] = line.words;
  if (keyword === undefined) return undefined;
  if (keyword !== 'nat' || isIP(address ?? '') !== 4 || more.length > 0)
    throw wrong(line, 'a router has nothing but `nat` and an IPv4 address');
  if (line.depth === 0) throw wrong(line, 'the first router has no outside to hide from');
  return address;
}

function addressesOf(line: Line): readonly string[] {
  const odd = line.words.find((word) => isIP(word) === 0);
  if (odd !== undefined) throw wrong(line, `${odd} is no IP address`);
  if (line.words.length === 0) throw wrong(line, 'a host needs an address');
  for (const version of [4, 6])
    if (line.words.filter((word) => isIP(word) === version).length > 1) throw wrong(line, `two addresses of IPv${version}`);
  return line.words;
}

function wrong({ text }: Line, why: string): SyntaxError {
  return new SyntaxError(`${why}: ${JSON.stringify(text.trim())}`);
}
