import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a document leads to: the targets of its links, without what stands in code and comments. */
export function linkTargets(markdown: string): readonly string[] {
  const prose = withoutFences(markdown).replace(/<!--[\s\S]*?-->|`[^`\n]*`/g, '');
  const inline = [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)];
  const defined = [...prose.matchAll(/^ {0,3}\[(?!\^)[^\]]+\]:\s*(\S+)/gm)];
  return [...inline, ...defined].map((match) => match[1] as string);
}

/** The anchors of a document, as GitHub makes them of its headings. */
export function anchors(markdown: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [, heading = ''] of withoutFences(markdown).matchAll(/^#{1,6}\s+(.*?)\s*#*$/gm)) {
    const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '');
    const slug = text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    let name = slug;
    for (let again = 1; names.has(name); again++) name = `${slug}-${again}`;
    names.add(name);
  }
  return names;
}

/** What is wrong with a link of `document`, a path below `root`; undefined: nothing, or it leads to another host. */
export function linkFault(root: string, document: string, target: string): string | undefined {
  if (/^[a-z][a-z+.-]*:/i.test(target)) return undefined;
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? join(root, document) : join(root, dirname(document), decodeURIComponent(path));
  if (path.startsWith('/') || !`${file}/`.startsWith(`${root}/`)) return `${target} leads out of the repository`;
  if (!existsSync(file)) return `${target} is not there`;
  if (anchor === undefined || anchor === '') return undefined;
  if (statSync(file).isDirectory()) return `${target} is a folder, which has no headings`;
  return anchors(readFileSync(file, 'utf8')).has(anchor) ? undefined : `${target}: no such heading`;
}

function withoutFences(markdown: string): string {
  return markdown.replace(/^(`{3,})[\s\S]*?^\1`*\s*$/gm, '');
}
