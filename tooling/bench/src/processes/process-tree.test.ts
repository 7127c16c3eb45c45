import { expect, test } from 'vitest';
import { allProcesses, parsePeak, parseStat, treeOf, usageOfTree } from './process-tree.ts';

test('a line of stat is read whatever the program is called', () => {
  const rest = 'S 17 42 42 0 -1 4194304 100 200 0 0 150 50 30 20 20 0 1 0 12345 1000 100';
  const stat = { pid: 42, parent: 17, cpuSeconds: 2.5 };
  expect(parseStat(`42 (sshd) ${rest}`)).toEqual(stat);
  expect(parseStat(`42 (a) 1 (b c) ${rest}`)).toEqual(stat);
});

test('the peak is in kB', () => {
  expect(parsePeak('Name:\tsshd\nVmPeak:\t  9000 kB\nVmHWM:\t    2048 kB\n')).toBe(2048 * 1024);
  expect(parsePeak('')).toBe(0);
});

test('a tree is a process, its children and theirs', () => {
  const all = [
    { pid: 5, parent: 3, cpuSeconds: 0 },
    { pid: 1, parent: 0, cpuSeconds: 0 },
    { pid: 3, parent: 2, cpuSeconds: 0 },
    { pid: 2, parent: 1, cpuSeconds: 0 },
    { pid: 4, parent: 1, cpuSeconds: 0 },
  ];
  expect(treeOf(2, all).map(({ pid }) => pid)).toEqual([2, 3, 5]);
  expect(treeOf(9, all)).toEqual([]);
});

test.runIf(process.platform === 'linux')('this process is among all, and has used something', () => {
  const all = allProcesses();
  expect(all.find(({ pid }) => pid === process.pid)?.parent).toBe(process.ppid);
  expect(usageOfTree(process.pid, all).maxRssBytes).toBeGreaterThan(1e6);
});
