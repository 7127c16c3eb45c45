import type { Outcome, Scenario } from './scenario.ts';

/** Runs one world. What nobody awaits and what the scenario itself throws are violations, too; it never rejects. */
export async function runSeed(scenario: Scenario, seed: number): Promise<Outcome> {
  const unhandled: string[] = [];
  const note = (error: unknown): void => void unhandled.push(`nobody expected ${told(error)}`);
  process.on('unhandledRejection', note);
  process.on('uncaughtException', note);
  try {
    const { steps, faults, violations } = await scenario.run(seed);
    // Rejections are announced after the promises of this turn.
    await new Promise((resolve) => setImmediate(resolve));
    return { steps, faults, violations: [...violations, ...unhandled] };
  } catch (error) {
    return { steps: 0, faults: 0, violations: [told(error), ...unhandled] };
  } finally {
    process.off('unhandledRejection', note);
    process.off('uncaughtException', note);
  }
}

function told(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
