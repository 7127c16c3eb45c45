/** One fenced block of code. */
export interface Fence {
  readonly language: string;
  /** What stands behind the language. */
  readonly info: string;
  /** Line of its first line of code in the document, from 1. */
  readonly line: number;
  readonly code: string;
}

/** The fenced blocks of a document. */
export function fences(markdown: string): readonly Fence[] {
  return [...markdown.matchAll(/^```(\w*) *([^\n]*)\n([\s\S]*?)^```\s*$/gm)].map((match) => ({
    language: match[1] as string,
    info: match[2] as string,
    line: markdown.slice(0, match.index).split('\n').length + 1,
    code: match[3] as string,
  }));
}

/** One row of a table: its cells by the name of their column, in lower case and without code marks. */
export type Row = Readonly<Record<string, string>>;

/** The rows of every table whose header begins with `columns`. */
export function tableRows(markdown: string, columns: readonly string[]): readonly Row[] {
  const rows: Row[] = [];
  let header: readonly string[] | undefined;
  for (const line of markdown.split('\n')) {
    if (!line.startsWith('|')) {
      header = undefined;
      continue;
    }
    const cells = line
      .replace(/^\|/, '')
      .replace(/\|\s*$/, '')
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim());
    if (header === undefined) {
      header = cells.map((cell) => cell.toLowerCase());
      continue;
    }
    if (cells.every((cell) => /^:?-+:?$/.test(cell))) continue;
    if (columns.every((column, index) => header?.[index] === column)) {
      rows.push(Object.fromEntries(header.map((name, index) => [name, (cells[index] ?? '').replaceAll('`', '')])));
    }
  }
  return rows;
}

/**
 * What the lines with `console.log` promise to print, each in the comment behind it, or in the comment lines below it;
 * undefined where one of them promises nothing.
 */
export function expectedOutput(code: string): readonly string[] | undefined {
  const lines = code.split('\n');
  const expected = lines.flatMap((line, index) => {
    if (!line.includes('console.log(')) return [];
    const behind = /console\.log\(.*\);? *\/\/ ?(.*)$/.exec(line);
    if (behind !== null) return [(behind[1] as string).trim()];
    const below = lines.slice(index + 1);
    // Those of a loop stand below its closing brace.
    const from = below.findIndex((each) => !/^\s*\}$/.test(each));
    const comments = from < 0 ? [] : below.slice(from);
    const end = comments.findIndex((each) => !/^\s*\/\//.test(each));
    const said = (end < 0 ? comments : comments.slice(0, end)).map((each) => each.replace(/^\s*\/\/ ?/, '').trimEnd());
    return said.length === 0 ? [undefined] : said;
  });
  return expected.every((each) => each !== undefined) ? expected : undefined;
}
