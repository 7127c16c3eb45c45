import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toolEnvironment } from './pnpm.ts';
import { ROOT } from './workspace.ts';

// A rule that never fires protects nothing: each is shown a file that breaks it, in a copy of the workspace's shape.

const CORE = 'packages/session/src/probe';
const SHELL = 'packages/transport/src/probe';

/** File, its text, and the rule that must fire; undefined: nothing may. */
const PROBES: readonly (readonly [string, string, string | undefined])[] = [
  ...[
    'Buffer',
    'crypto',
    'Date',
    'performance',
    'process',
    'setInterval',
    'setTimeout',
    'setImmediate',
    'queueMicrotask',
    'globalThis',
    'fetch',
    'WebSocket',
    'MessageChannel',
    'require',
  ].map((name) => [`${CORE}-${name}.ts`, `export const probe: unknown = ${name};\n`, 'eslint(no-restricted-globals)'] as const),
  [`${CORE}-node.ts`, "export { readFileSync } from 'node:fs';\n", 'eslint(no-restricted-imports)'],
  [`${CORE}-random.ts`, 'export const probe: number = Math.random();\n', 'eslint(no-restricted-properties)'],
  [`${CORE}-timeout.ts`, 'export const probe: AbortSignal = AbortSignal.timeout(1);\n', 'eslint(no-restricted-properties)'],
  [`${CORE}-console.ts`, "console.log('x');\n", 'eslint(no-console)'],
  [`${CORE}.test.ts`, "import { readFileSync } from 'node:fs';\nconsole.log(Date.now(), Math.random(), readFileSync);\n", undefined],
  [`${SHELL}-time.ts`, 'export const probe: number = Date.now();\n', undefined],
  [`${SHELL}-random.ts`, 'export const probe: number = Math.random();\n', 'eslint(no-restricted-properties)'],
  [
    `${SHELL}-floating.ts`,
    'async function f(): Promise<void> {}\nexport function g(): void {\n  f();\n}\n',
    'typescript(no-floating-promises)',
  ],
  [`${SHELL}-misused.ts`, 'export function g(f: () => Promise<void>): void {\n  [1].forEach(f);\n}\n', 'typescript(no-misused-promises)'],
  [`${SHELL}-await.ts`, 'export async function g(): Promise<void> {\n  await 1;\n}\n', 'typescript(await-thenable)'],
  [
    `${SHELL}-switch.ts`,
    "export function g(x: 'a' | 'b'): number {\n  switch (x) {\n    case 'a':\n      return 1;\n  }\n  return 2;\n}\n",
    'typescript(switch-exhaustiveness-check)',
  ],
  [`${SHELL}-any.ts`, 'export function g(x: any): void {\n  void x;\n}\n', 'typescript(no-explicit-any)'],
  [`${SHELL}-unsafe.ts`, 'export const probe: number = JSON.parse("1");\n', 'typescript(no-unsafe-assignment)'],
  [`${SHELL}-null.ts`, 'export function g(x?: string): number {\n  return x!.length;\n}\n', 'typescript(no-non-null-assertion)'],
  [
    `${SHELL}-assertion.ts`,
    'export function g(x: string): string {\n  return x as string;\n}\n',
    'typescript(no-unnecessary-type-assertion)',
  ],
  [`${SHELL}-type.ts`, "import { Foo } from './probe-foo.ts';\nexport const probe: Foo = 1;\n", 'typescript(consistent-type-imports)'],
  [`${SHELL}-throw.ts`, 'export function g(x: string): void {\n  throw x;\n}\n', 'typescript(only-throw-error)'],
  [`${SHELL}-foo.ts`, 'export type Foo = number;\n', undefined],
  [`${SHELL}-default.ts`, 'export default 1;\n', 'import(no-default-export)'],
  [`${SHELL}-cycle-a.ts`, "import { b } from './probe-cycle-b.ts';\nexport const a = (): unknown => b;\n", 'import(no-cycle)'],
  [`${SHELL}-cycle-b.ts`, "import { a } from './probe-cycle-a.ts';\nexport const b = (): unknown => a;\n", 'import(no-cycle)'],
  [`${SHELL}-long.ts`, Array.from({ length: 401 }, (_, i) => `export const x${i} = ${i};\n`).join(''), 'eslint(max-lines)'],
  [`${SHELL}-comments.ts`, `${'// why\n\n'.repeat(401)}export const probe = 1;\n`, undefined],
  [`${SHELL}-equal.ts`, 'export const g = (x: unknown): boolean => x == 1;\n', 'eslint(eqeqeq)'],
  [`${SHELL}-const.ts`, 'export function g(): number {\n  let x = 1;\n  return x;\n}\n', 'eslint(prefer-const)'],
  [`${SHELL}-unused.ts`, 'export function g(): void {\n  const x = 1;\n}\n', 'eslint(no-unused-vars)'],
  [`${SHELL}-only.test.ts`, "import { test } from 'vitest';\ntest.only('x', () => {});\n", 'vitest(no-focused-tests)'],
  [`${SHELL}-skip-if.test.ts`, "import { test } from 'vitest';\ntest.skipIf(process.getuid?.() !== 0)('x', () => {});\n", undefined],
  [`${SHELL}-skip.test.ts`, "import { test } from 'vitest';\ntest.skip('x', () => {});\n", 'vitest(no-disabled-tests)'],
];

interface Diagnostic {
  readonly code?: string;
  readonly filename: string;
  readonly severity: string;
}

const folder = mkdtempSync(join(tmpdir(), 'matryoshka-lint-'));
let diagnostics: readonly Diagnostic[] = [];

beforeAll(async () => {
  for (const file of ['.oxlintrc.json', 'tsconfig.base.json', 'tsconfig.test.json'])
    writeFileSync(join(folder, file), readFileSync(join(ROOT, file)));
  writeFileSync(join(folder, 'tsconfig.json'), '{ "files": [], "references": [{ "path": "tsconfig.test.json" }] }');
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  for (const [file, text] of PROBES) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  const output = await new Promise<string>((resolve) => {
    execFile('oxlint', ['--type-aware', '--format=json'], { cwd: folder, env: toolEnvironment(), maxBuffer: 2 ** 26 }, (_error, stdout) =>
      resolve(stdout),
    );
  });
  ({ diagnostics } = JSON.parse(output) as { diagnostics: readonly Diagnostic[] });
}, 60_000);

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('lint', () => {
  test.each(PROBES)('$0', (file, _text, rule) => {
    const found = diagnostics.filter(({ filename }) => filename === file);
    for (const { severity } of found) expect(severity).toBe('error');
    if (rule === undefined) expect(found).toEqual([]);
    else expect(found.map(({ code }) => code)).toContain(rule);
  });
});
