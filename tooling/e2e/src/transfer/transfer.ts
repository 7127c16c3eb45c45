import type { Crew } from '../processes/crew.ts';
import type { Worker } from '../processes/worker.ts';
import type { Outcome, SidePlan } from './exchange.ts';
import type { NodeCommands } from './node-process.ts';

/** One stream between two nodes. */
export interface Transfer {
  /** Names its stream, and with the seed its bytes. */
  readonly name: string;
  readonly opener: Worker<NodeCommands>;
  readonly acceptor: Worker<NodeCommands>;
  /** Of the opener. */
  readonly connectionId: string;
  /** From the opener, and back to it. */
  readonly forwardBytes: number;
  readonly backwardBytes: number;
  readonly seed: number;
  readonly pauseChance: number;
}

/** What became of both ends of a stream. */
export interface TransferOutcome {
  readonly opener: Outcome;
  readonly acceptor: Outcome;
  readonly sha256Match: boolean;
  /** For people; none where all is well. */
  readonly faults: readonly string[];
}

/** Runs transfers side by side. */
export async function runTransfers(crew: Crew, transfers: readonly Transfer[]): Promise<readonly TransferOutcome[]> {
  return crew.watch(
    Promise.all(
      transfers.map(async (transfer) => {
        const { name, opener, acceptor, connectionId } = transfer;
        const [opening, accepting] = sides(transfer);
        await acceptor.call('accept', name, accepting);
        await opener.call('open', name, connectionId, opening);
        return outcomeOf(transfer, await Promise.all([opener.call('outcome', name), acceptor.call('outcome', name)]));
      }),
    ),
  );
}

function sides({ name, forwardBytes, backwardBytes, seed, pauseChance }: Transfer): readonly [opener: SidePlan, acceptor: SidePlan] {
  const forward = { content: `${seed} ${name} forward`, bytes: forwardBytes };
  const backward = { content: `${seed} ${name} backward`, bytes: backwardBytes };
  return [
    { sends: forward, receives: backward, seed, pauseChance },
    { sends: backward, receives: forward, seed, pauseChance },
  ];
}

function outcomeOf(transfer: Transfer, [opener, acceptor]: readonly [Outcome, Outcome]): TransferOutcome {
  const sha256Match = opener.sentSha256 === acceptor.receivedSha256 && acceptor.sentSha256 === opener.receivedSha256;
  const faults = [
    ...opener.faults.map((fault) => `${transfer.name}, ${transfer.opener.name}: ${fault}`),
    ...acceptor.faults.map((fault) => `${transfer.name}, ${transfer.acceptor.name}: ${fault}`),
  ];
  if (!sha256Match) faults.push(`${transfer.name}: the SHA-256 of what was read is not that of what was written`);
  return { opener, acceptor, sha256Match, faults };
}
