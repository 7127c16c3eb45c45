import type { CryptoProvider } from '../crypto.ts';
import type { Random } from '../random.ts';

/** One requirement of a contract. It is met where `run` neither throws nor rejects. */
export interface ContractCase {
  /** What is required, in a sentence. */
  readonly name: string;
  /** Compares with published vectors, which only the real primitive meets: a simulated one has to meet all the others. */
  readonly published?: true;
  /** Examines. */
  readonly run: () => void | Promise<void>;
}

/** Who is examined, what it is compared with, and where the inputs of the comparisons come from. */
export interface ContractSetup {
  readonly provider: CryptoProvider;
  readonly reference: CryptoProvider;
  readonly random: Random;
}
