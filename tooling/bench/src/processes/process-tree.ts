import { readFileSync, readdirSync } from 'node:fs';
import type { Usage } from './role.ts';

// What programs that are not ours have used: Linux tells in /proc (proc(5)).

/** Ticks per second of the times in /proc: a constant of Linux for programs. */
const TICKS_PER_SECOND = 100;

/** One process, from its `stat`. */
export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** User and system time of itself and of children it has waited for. */
  readonly cpuSeconds: number;
}

/** Reads the line of `/proc/<pid>/stat`. */
export function parseStat(line: string): ProcessStat {
  // The name of the program is in brackets and may hold anything, brackets and spaces too.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { pid: Number.parseInt(line, 10), parent: Number(fields[1]), cpuSeconds: ticks / TICKS_PER_SECOND };
}

/** The largest resident set, in bytes, from `/proc/<pid>/status`; 0 of a process that has just ended. */
export function parsePeak(status: string): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

/** `root` and all below it. */
export function treeOf(root: number, all: readonly ProcessStat[]): readonly ProcessStat[] {
  const tree = all.filter(({ pid }) => pid === root);
  // Grows while it is walked.
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  return tree;
}

/** All processes there are. */
export function allProcesses(): readonly ProcessStat[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const stat = read(pid, 'stat');
      return stat === '' ? [] : [parseStat(stat)];
    });
}

/** What `root` and the processes below it have used: the sum of all. */
export function usageOfTree(root: number, all: readonly ProcessStat[]): Usage {
  const tree = treeOf(root, all);
  return {
    cpuSeconds: tree.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    maxRssBytes: tree.reduce((sum, { pid }) => sum + parsePeak(read(String(pid), 'status')), 0),
  };
}

/** Empty where the process is gone. */
function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
