/** A network as it is built: routers in a tree, hosts at its leaves. */
export interface Topology {
  /** The root first, each before those below it. */
  readonly routers: readonly Router[];
  readonly hosts: readonly Host[];
}

export interface Router {
  readonly name: string;
  /** The router above it; the root has none. */
  readonly above: string | undefined;
  /** Its public IPv4 address where it hides what is below it: from there one can only dial out. */
  readonly nat: string | undefined;
}

export interface Host {
  readonly name: string;
  /** The router that it hangs on. */
  readonly above: string;
  /** IPv4 and IPv6, one at least. */
  readonly addresses: readonly string[];
}
