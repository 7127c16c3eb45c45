import { type Random, randomBelow, randomBetween } from '@matryoshka/session';

/** The last part of a transfer, in which nothing is killed: there has to be something left that needs the next connection. */
const SPARED_PART = 0.02;
/** Of ten kills, so many come soon after the one before: in the middle of the handshake and of the resume. */
const SOON_OF_TEN = 2;
/** Handshake, opening and resume are 3.3 KB; kills that come soon also hit what follows. */
const SOON_BYTES = 5000;
/** More of them in a row would be an outage longer than the grace period, in the end. */
const MAX_SOON_IN_A_ROW = 2;
const MAX_REFUSE_MS = 800;
const MAX_STALL_MS = 500;
const HALF_OPEN_MS = 200;
/** Pieces of the way back are small: acknowledgements and credit, mostly. */
const MAX_BACKWARD_CUT_LENGTH = 1500;

/** How and when a TCP connection is killed. */
export interface Kill {
  /** `at`: so many bytes of the whole transfer have gone forward; `soon`: so many of the new connection, either way. */
  readonly when: { readonly type: 'at' | 'soon'; readonly bytes: number };
  /** The next piece that goes backward is cut to this length first, instead of one that goes forward. */
  readonly backwardCutLength: number | undefined;
  /** RST, or FIN behind what was sent. */
  readonly manner: 'reset' | 'close';
  /** Which end goes first. */
  readonly first: 'near' | 'far';
  /** How long the other end stays, and whether what comes from there is swallowed or not even read. */
  readonly halfOpenMs: number;
  readonly swallows: boolean;
  /** How long nothing is forwarded before that. */
  readonly stallMs: number;
  /** How long new connections are refused after it. */
  readonly refuseMs: number;
}

/** Draws `count` kills, in their order, spread over `bytes`. */
export function drawKills(random: Random, count: number, bytes: number): readonly Kill[] {
  const soon = drawSoon(random, count);
  const end = Math.floor(bytes * (1 - SPARED_PART));
  const positions = soon
    .filter((isSoon) => !isSoon)
    .map(() => uniformBelow(random, end))
    .toSorted((a, b) => a - b);
  let next = 0;
  return soon.map((isSoon) => {
    const when = isSoon
      ? ({ type: 'soon', bytes: randomBelow(random, SOON_BYTES) } as const)
      : ({ type: 'at', bytes: positions[next++] as number } as const);
    return { when, ...drawManner(random) };
  });
}

/** Which of them come soon after the one before: never the first, and not too many in a row. */
function drawSoon(random: Random, count: number): readonly boolean[] {
  let row = 0;
  return Array.from({ length: count }, (_, index) => {
    const soon = index > 0 && row < MAX_SOON_IN_A_ROW && randomBelow(random, 10) < SOON_OF_TEN;
    row = soon ? row + 1 : 0;
    return soon;
  });
}

function drawManner(random: Random): Omit<Kill, 'when'> {
  const oneOf = (of: number): boolean => randomBelow(random, of) === 0;
  return {
    backwardCutLength: oneOf(3) ? randomBelow(random, MAX_BACKWARD_CUT_LENGTH) : undefined,
    manner: oneOf(2) ? 'reset' : 'close',
    first: oneOf(2) ? 'near' : 'far',
    halfOpenMs: oneOf(4) ? HALF_OPEN_MS : 0,
    swallows: oneOf(2),
    stallMs: oneOf(4) ? randomBetween(random, 1, MAX_STALL_MS) : 0,
    refuseMs: oneOf(2) ? randomBelow(random, MAX_REFUSE_MS + 1) : 0,
  };
}

/** Also beyond 2³². */
function uniformBelow(random: Random, bound: number): number {
  return Math.floor(((randomBelow(random, 2 ** 26) * 2 ** 26 + randomBelow(random, 2 ** 26)) / 2 ** 52) * bound);
}
