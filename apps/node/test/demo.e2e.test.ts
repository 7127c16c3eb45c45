import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Knowledge } from '../src/demo/knowledge.ts';
import type { TransferResult } from '../src/demo/transfer.ts';
import { type Cli, startDemo } from './cli.ts';

const NAMES = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'];
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'matryoshka-demo-test-'));
});
afterEach(() => {
  // Fails where the demo has left anything.
  rmdirSync(folder);
});

function knowledgeIn(result: TransferResult, name: string): Knowledge {
  const knowledge = result.knowledge[name];
  if (knowledge === undefined) throw new Error(`nothing is told of ${name}`);
  return knowledge;
}

/** All a node told but who it is itself. */
function told(result: TransferResult, name: string): string {
  const { peerId: _peerId, listening: _listening, ...rest } = knowledgeIn(result, name);
  return JSON.stringify(rest);
}

/** Resolves when the demo has said `text` to people, or has ended. */
function said(demo: Cli, text: string): Promise<void> {
  return new Promise((resolve) => {
    demo.child.stdout.on('data', () => demo.stdout.includes(text) && resolve());
    void demo.exited.then(() => resolve());
  });
}

describe('the demo', () => {
  test('carries a file through relays and through a circuit, and tells who knew what', async () => {
    const demo = startDemo(folder, '--json', '--size', '8');
    expect(await demo.exited, demo.stderr).toBe(0);
    expect(demo.stdout.trimEnd().split('\n'), 'one object').toHaveLength(1);
    const { relayed, telescoped, ...more } = JSON.parse(demo.stdout) as Record<'relayed' | 'telescoped', TransferResult>;
    expect(more).toEqual({});
    expect(relayed).toMatchObject({ hops: 3, bytes: 8 * 1024 * 1024, sha256Match: true });
    expect(telescoped).toMatchObject({ hops: 4, bytes: 8 * 1024 * 1024, sha256Match: true, path: ['B', 'C', 'D', 'E'] });
    for (const result of [relayed, telescoped]) {
      expect(result.seconds).toBeGreaterThan(0);
      expect(result.path).toHaveLength(result.hops);
      expect(Object.keys(result.knowledge).toSorted()).toEqual(NAMES);
      expect(new Set(NAMES.map((name) => knowledgeIn(result, name).peerId)).size).toBe(NAMES.length);
    }
    expect(demo.stderr).toContain("D's view of the source endpoint: 127.");
    expect(demo.stderr).toMatch(/\d+ processes were started and are gone/);
    expect(readdirSync(folder)).toEqual([]);

    // First table: the relays are two of the mesh, each on a network of its own; A connects to B and F only.
    const [first, last, end] = relayed.path as [string, string, string];
    expect(['B', 'F']).toContain(first);
    expect(['B', 'C', 'F', 'G', 'H']).toContain(last);
    expect(last).not.toBe(first);
    expect(end).toBe('D');
    const idOf = (name: string): string => knowledgeIn(relayed, name).peerId;
    expect(knowledgeIn(relayed, first).forwards).toEqual([
      expect.objectContaining({
        hopsLeft: 2,
        previousHop: expect.objectContaining({ peerId: idOf('A') }),
        nextHop: expect.objectContaining({ peerId: idOf(last) }),
      }),
    ]);
    expect(JSON.stringify(knowledgeIn(relayed, last).forwards)).not.toContain(idOf('A'));
    const [source] = knowledgeIn(relayed, 'D').sessions;
    expect(source?.peerId).toBe(idOf('A'));
    expect(source?.remote).toMatch(/^127\.\d+\.0\.1:\d+:\d+$/);
    expect(told(relayed, 'D')).not.toContain('127.11.0.1');

    // Second table: no relay but the first is told who A is, and none but the last who E is.
    const a = knowledgeIn(telescoped, 'A').peerId;
    const e = knowledgeIn(telescoped, 'E').peerId;
    expect(a).toBe(idOf('A'));
    expect(told(telescoped, 'B')).toContain(a);
    for (const name of ['C', 'D', 'E', 'F', 'G', 'H']) {
      expect(told(telescoped, name), name).not.toContain(a);
      expect(told(telescoped, name), name).not.toContain('127.11.0.1');
    }
    expect(told(telescoped, 'D')).toContain(e);
    for (const name of ['B', 'C', 'F', 'G', 'H']) {
      expect(told(telescoped, name), name).not.toContain(e);
      expect(told(telescoped, name), name).not.toContain('127.55.0.1');
    }
    expect(knowledgeIn(telescoped, 'E').sessions).toEqual([expect.objectContaining({ peerId: null, authenticated: false })]);
  });

  test('interrupted, it leaves neither processes nor files', async () => {
    const demo = startDemo(folder, '--size', '1024');
    await said(demo, 'Each is a process');
    demo.child.kill('SIGINT');
    expect(await demo.exited).toBe(130);
    expect(demo.stderr).toContain('interrupted');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a node that fails fails it, by name, and nothing is left', async () => {
    const demo = startDemo(folder, '--size', '1024', '--verbose');
    await said(demo, 'Each is a process');
    const pid = Number(/^\[C\] process (\d+)$/m.exec(demo.stderr)?.[1]);
    expect(pid).toBeGreaterThan(1);
    process.kill(pid, 'SIGKILL');
    expect(await demo.exited).toBe(1);
    expect(demo.stderr).toContain('demo: the process of C ended with SIGKILL');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a file that cannot be read ends it at once, with the reason', async () => {
    const demo = startDemo(folder, '--file', '/no/such/file');
    expect(await demo.exited).toBe(1);
    expect(demo.stderr).toContain('cannot read /no/such/file: there is no such file');
  });
});
