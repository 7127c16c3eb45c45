import { describe, expect, test } from 'vitest';
import { parseTopology } from '../topology/parse-topology.ts';
import { parseWalkthrough } from './walkthrough.ts';

const fence = (info: string, ...lines: readonly string[]): string => ['```' + info, ...lines, '```', ''].join('\n');

describe('a walkthrough', () => {
  test('is what is typed on machines, and what that prints', () => {
    const text = [
      '# Title',
      fence('text network', 'internet', '└─ A 192.0.2.1'),
      fence('sh', 'npm install something'),
      fence('sh', '# on A', 'init', '', '# why', 'up \\', '  --relay &'),
      'It prints:',
      fence('text', 'ready', '…'),
      fence('text', 'a drawing'),
    ].join('\n');
    expect(parseWalkthrough(text)).toEqual({
      drawing: 'internet\n└─ A 192.0.2.1\n',
      steps: [{ machine: 'A', line: 12, commands: ['init', 'up    --relay &'], output: ['ready', '…'] }],
    });
  });

  test('may go from one machine to the next in one fence; without a drawing each is in a network of its own', () => {
    const { drawing, steps } = parseWalkthrough(fence('sh', '# on A: the first', 'init', '# on B', 'join'))!;
    expect(steps).toEqual([
      { machine: 'A', line: 2, commands: ['init'] },
      { machine: 'B', line: 4, commands: ['join'] },
    ]);
    expect(parseTopology(drawing).hosts.map(({ name }) => name)).toEqual(['A', 'B']);
  });

  test('is none where nothing is typed on a machine', () => {
    expect(parseWalkthrough(fence('sh', 'npm install something') + fence('text', 'a drawing'))).toBeUndefined();
  });
});
