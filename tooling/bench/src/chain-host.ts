/** Addresses of a chain's processes: each in a /16 of its own, 127.11.0.1, 127.22.0.1 and so on, up to 23 of them. */
export function chainHost(index: number): string {
  return `127.${(index + 1) * 11}.0.1`;
}
