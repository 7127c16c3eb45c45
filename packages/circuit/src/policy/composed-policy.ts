import type { PeerId, Random, VerifiedDescriptor } from '@matryoshka/session';
import { MatryoshkaError } from '@matryoshka/wire';
import { NECESSARY, admitsPath, distinctNetworks, distinctOperators } from './constraints.ts';
import type { CircuitRequest, EntryPolicy, PathConstraint, PathPenalty, PathPolicy, PathWeights } from './path-policy.ts';
import { WeightedDraw, randomUnit } from './weighted-draw.ts';
import { byBandwidth } from './weights.ts';

/** So often a hop is drawn blindly before all that may be it are listed: most directories are mostly eligible. */
const BLIND_DRAWS = 16;
/** So often a path is begun anew before every way is tried. */
const RESTARTS = 8;
/** Most candidates that are looked at for one path, no restart behind half of them: tens of milliseconds, whoever fills the directory. */
const MAX_CHECKS = 200_000;
/** Most ways that are tried behind the same hops. */
const MAX_BRANCHES = 32;
/** A relay is not drawn less often than this for what happened to it: nobody is banned. */
const MIN_FACTOR = 1 / 1024;

/** What a policy is composed of. */
export interface PolicyParts {
  /** Beside what always has to hold; distinct networks and distinct operators by default. */
  readonly constraints?: readonly PathConstraint[];
  /** By bandwidth by default. */
  readonly weights?: PathWeights;
  /** Each makes some relays rarer. */
  readonly penalties?: readonly PathPenalty[];
  /** Chooses the first hop, such as `EntryGuards`; by default it is drawn as the others are. */
  readonly entry?: EntryPolicy;
}

/** Those that a default policy has. */
export const DEFAULT_CONSTRAINTS: readonly PathConstraint[] = [distinctNetworks(), distinctOperators];

interface Table {
  readonly version: number;
  readonly draw: WeightedDraw;
  readonly byPeer: ReadonlyMap<PeerId, VerifiedDescriptor>;
  readonly weights: Float64Array;
}

/** One selection. */
interface Selection {
  readonly request: CircuitRequest;
  readonly directory: readonly VerifiedDescriptor[];
  readonly random: Random;
  readonly table: Table;
  checksLeft: number;
  /** The longest beginning of a path that was found. */
  deepest: readonly VerifiedDescriptor[];
}

/** A policy of constraints that all have to hold, weights, penalties and a rule for the first hop. */
export class ComposedPolicy implements PathPolicy {
  readonly #constraints: readonly PathConstraint[];
  readonly #weights: PathWeights;
  readonly #penalties: readonly PathPenalty[];
  readonly #entry: EntryPolicy | undefined;
  readonly #tables = new WeakMap<readonly VerifiedDescriptor[], Table>();

  constructor({ constraints = DEFAULT_CONSTRAINTS, weights = byBandwidth(), penalties = [], entry }: PolicyParts = {}) {
    this.#constraints = [...NECESSARY, ...constraints];
    this.#weights = weights;
    this.#penalties = penalties;
    this.#entry = entry;
  }

  selectPath(request: CircuitRequest, directory: readonly VerifiedDescriptor[], random: Random): readonly VerifiedDescriptor[] {
    const selection: Selection = { request, directory, random, table: this.#table(directory), checksLeft: MAX_CHECKS, deepest: [] };
    for (let attempt = 0; attempt < RESTARTS && selection.checksLeft > MAX_CHECKS / 2; attempt++) {
      const path = this.#drawPath(selection);
      if (path !== undefined) return path;
    }
    const found = this.#search(selection, []);
    if (found !== undefined) return found;
    throw this.#noPath(selection);
  }

  admits(path: readonly VerifiedDescriptor[], request: CircuitRequest): boolean {
    return admitsPath(this.#constraints, path, request);
  }

  /** Tries every way, within bounds: few relays and many constraints may leave one path only. */
  #search(selection: Selection, chosen: readonly VerifiedDescriptor[]): readonly VerifiedDescriptor[] | undefined {
    if (chosen.length > selection.deepest.length) selection.deepest = chosen;
    if (chosen.length === selection.request.relays) return chosen;
    if (selection.checksLeft <= 0) return undefined;
    for (const hop of this.#nextHops(selection, chosen)) {
      const found = this.#search(selection, [...chosen, hop]);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** What may come behind `chosen`, in an order drawn by weight. */
  #nextHops(selection: Selection, chosen: readonly VerifiedDescriptor[]): readonly VerifiedDescriptor[] {
    if (chosen.length === 0 && this.#entry !== undefined) return this.#entries(selection);
    const eligible = this.#eligible(selection, chosen);
    const draw = new WeightedDraw(Float64Array.from(eligible, ({ weight }) => weight));
    const order = new Set<VerifiedDescriptor>();
    for (let draws = 0; draws < 2 * MAX_BRANCHES && order.size < MAX_BRANCHES; draws++) {
      const index = draw.draw(selection.random);
      if (index === undefined) break;
      order.add((eligible[index] as (typeof eligible)[number]).candidate);
    }
    // Those that are too rare to be drawn come last.
    for (const { candidate } of eligible) {
      if (order.size >= MAX_BRANCHES) break;
      order.add(candidate);
    }
    return [...order];
  }

  #drawPath(selection: Selection): readonly VerifiedDescriptor[] | undefined {
    const path: VerifiedDescriptor[] = [];
    while (path.length < selection.request.relays) {
      const hop = path.length === 0 && this.#entry !== undefined ? this.#entries(selection)[0] : this.#drawHop(selection, path);
      if (hop === undefined) return undefined;
      path.push(hop);
      if (path.length > selection.deepest.length) selection.deepest = [...path];
    }
    return path;
  }

  /** One hop by weight: whatever is drawn and not eligible is drawn again, which leaves the odds of the others as they are. */
  #drawHop(selection: Selection, chosen: readonly VerifiedDescriptor[], without?: ReadonlySet<PeerId>): VerifiedDescriptor | undefined {
    const { directory, random, table } = selection;
    for (let draws = 0; draws < BLIND_DRAWS; draws++) {
      const index = table.draw.draw(random);
      if (index === undefined) return undefined;
      const candidate = directory[index] as VerifiedDescriptor;
      if (without?.has(candidate.peerId) === true || !this.#admits(candidate, chosen, selection)) continue;
      const factor = this.#factor(candidate, chosen.at(-1));
      if (factor === 1 || randomUnit(random) < factor) return candidate;
    }
    const eligible = this.#eligible(selection, chosen).filter(({ candidate }) => without?.has(candidate.peerId) !== true);
    const index = new WeightedDraw(Float64Array.from(eligible, ({ weight }) => weight)).draw(random);
    return index === undefined ? undefined : eligible[index]?.candidate;
  }

  #entries(selection: Selection): readonly VerifiedDescriptor[] {
    const { random, table } = selection;
    const find = (peerId: PeerId): VerifiedDescriptor | undefined => {
      const known = table.byPeer.get(peerId);
      return known !== undefined && this.#admits(known, [], selection) ? known : undefined;
    };
    const draw = (without: ReadonlySet<PeerId>): VerifiedDescriptor | undefined => this.#drawHop(selection, [], without);
    return (this.#entry as EntryPolicy).entries(find, draw, random);
  }

  #eligible(selection: Selection, chosen: readonly VerifiedDescriptor[]): { candidate: VerifiedDescriptor; weight: number }[] {
    const { directory, table } = selection;
    const previous = chosen.at(-1);
    return directory
      .map((candidate, i) => ({ candidate, weight: table.weights[i] as number }))
      .filter(({ candidate }) => this.#admits(candidate, chosen, selection))
      .map(({ candidate, weight }) => ({ candidate, weight: weight * this.#factor(candidate, previous) }));
  }

  /** Nobody any more once the selection has cost too much. */
  #admits(candidate: VerifiedDescriptor, chosen: readonly VerifiedDescriptor[], selection: Selection): boolean {
    if (selection.checksLeft <= 0) return false;
    selection.checksLeft--;
    return this.#constraints.every((constraint) => constraint.admits(candidate, chosen, selection.request));
  }

  #factor(candidate: VerifiedDescriptor, previous: VerifiedDescriptor | undefined): number {
    return Math.max(
      MIN_FACTOR,
      this.#penalties.reduce((factor, penalty) => factor * penalty.factor(candidate, previous), 1),
    );
  }

  #table(directory: readonly VerifiedDescriptor[]): Table {
    const version = this.#weights.version ?? 0;
    let table = this.#tables.get(directory);
    if (table?.version !== version) {
      const weights = this.#weights.weigh(directory);
      const byPeer = new Map(directory.map((descriptor) => [descriptor.peerId, descriptor]));
      table = { version, weights, byPeer, draw: new WeightedDraw(weights) };
      this.#tables.set(directory, table);
    }
    return table;
  }

  /** What became of the candidates for the hop that nobody could be found for. */
  #noPath({ checksLeft, deepest, directory, request }: Selection): MatryoshkaError {
    let left = directory;
    const steps: string[] = [];
    for (const constraint of this.#constraints) {
      const before = left.length;
      left = left.filter((candidate) => constraint.admits(candidate, deepest, request));
      if (left.length < before) steps.push(`"${constraint.name}" leaves ${left.length === 0 ? 'none' : left.length}`);
      if (left.length === 0) break;
    }
    if (left.length > 0 && checksLeft <= 0) steps.push(`not all of ${left.length} were tried, which would take too long`);
    else if (left.length > 0 && deepest.length === 0) steps.push(`no entry guard of ${left.length} is usable`);
    const what = steps.length === 0 ? '' : `, of which ${steps.join(', then ')}`;
    return new MatryoshkaError(
      'circuit.no-path',
      `no path of ${request.relays} relays: for hop ${deepest.length + 1} there are ${directory.length} descriptors${what}`,
    );
  }
}
