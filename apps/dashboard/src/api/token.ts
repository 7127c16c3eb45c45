/** Where the token stays for as long as the tab is open: a reload keeps it, another tab does not get it. */
const KEY = 'matryoshka-token';

/**
 * Takes the token out of the address (`#token=…`), where nobody who looks on, and no bookmark, finds it any more.
 * @returns what is left of the fragment, and the token where it had one
 */
export function splitToken(fragment: string): { readonly token: string | undefined; readonly rest: string } {
  const fields = new URLSearchParams(fragment.replace(/^#/, ''));
  const token = fields.get('token')?.trim() ?? '';
  fields.delete('token');
  return { token: token === '' ? undefined : token, rest: fields.toString() };
}

/** The token in what somebody has pasted: an address of the page, or the token alone. */
export function pastedToken(text: string): string | undefined {
  const hash = text.indexOf('#');
  const token = hash === -1 ? text.trim() : splitToken(text.slice(hash).trim()).token;
  return token === '' ? undefined : token;
}

export function keptToken(): string | undefined {
  return sessionStorage.getItem(KEY) ?? undefined;
}

export function keepToken(token: string): void {
  sessionStorage.setItem(KEY, token);
}
