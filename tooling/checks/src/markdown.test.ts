import { describe, expect, test } from 'vitest';
import { expectedOutput, fences, tableRows } from './markdown.ts';

describe('fences', () => {
  test('are found with language and line', () => {
    expect(fences('a\n\n```ts\nconst x = 1;\n```\n\n```text network\nA\n```\n')).toEqual([
      { language: 'ts', info: '', line: 4, code: 'const x = 1;\n' },
      { language: 'text', info: 'network', line: 8, code: 'A\n' },
    ]);
  });
});

describe('tables', () => {
  const text = ['| Layer | package | what |', '|---|:---:|--:|', '| 1 | `a` | x \\| y |', '', '| other |', '|---|', '| 2 |'].join('\n');

  test('rows come by the names of their columns', () => {
    expect(tableRows(text, ['layer', 'package'])).toEqual([{ layer: '1', package: 'a', what: 'x \\| y' }]);
  });

  test('other tables do not count', () => {
    expect(tableRows(text, ['other'])).toEqual([{ other: '2' }]);
    expect(tableRows(text, ['nothing'])).toEqual([]);
  });
});

describe('expected output', () => {
  test('stands in the comment after console.log', () => {
    const code = 'console.log(1); // 1\nfor (const x of y) {\n  console.log(f(x)) // http://a\n}\nconst z = 1; // not this\n';
    expect(expectedOutput(code)).toEqual(['1', 'http://a']);
  });

  test('or in the lines below it, of a loop below its end', () => {
    const code = 'for (const x of y) {\n  console.log(x);\n}\n// a\n//  b\nf();\nconsole.log(1);\n// 1\n';
    expect(expectedOutput(code)).toEqual(['a', ' b', '1']);
  });

  test('has to be there', () => {
    for (const code of ['console.log(1);\n', 'console.log(1);\nf(); // 1\n', 'console.log(1); // 1\nconsole.log(2);\n']) {
      expect(expectedOutput(code)).toBeUndefined();
    }
  });
});
