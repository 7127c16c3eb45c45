import { createInterface } from 'node:readline/promises';

/** Asks people on a terminal. */
export interface Prompt {
  /** @param fallback - what an empty answer means */
  text(question: string, fallback: string): Promise<string>;
  yes(question: string): Promise<boolean>;
}

/** Whether there is somebody to ask. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks on standard error: standard output is for results. */
export async function withPrompt<T>(signal: AbortSignal, run: (prompt: Prompt) => Promise<T>): Promise<T> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // The terminal's own way to interrupt is taken over by whoever reads lines.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  const ask = (question: string): Promise<string> => lines.question(question, { signal });
  try {
    return await run({
      text: async (question, fallback) => (await ask(`${question} [${fallback}] `)).trim() || fallback,
      yes: async (question) => /^y(es)?$/i.test((await ask(`${question} [y/N] `)).trim()),
    });
  } finally {
    lines.close();
  }
}
