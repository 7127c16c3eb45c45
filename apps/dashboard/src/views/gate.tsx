import type { ComponentChild } from 'preact';
import { useState } from 'preact/hooks';
import { pastedToken } from '../api/token.ts';
import { live, useToken } from '../store/page.ts';

/** Without a token nothing is told: what is the matter, and where one is to be had. */
export function Gate(): ComponentChild {
  const standing = live.standing.value;
  const [text, setText] = useState('');
  const [fault, setFault] = useState('');
  const submit = (event: Event): void => {
    event.preventDefault();
    const token = pastedToken(text);
    if (token === undefined) setFault('There is no token in it. Paste the whole address, or what follows “token=”.');
    else useToken(token);
  };
  return (
    <main id="content" tabIndex={-1} class="gate">
      <h1>{titleOf(standing.kind === 'refused' ? standing : undefined)}</h1>
      <p>
        The node tells nothing to those without its token. To get in, run this on the machine of the node, and open the address that it
        prints:
      </p>
      <pre>
        <code>matryoshka dashboard</code>
      </pre>
      <form onSubmit={submit}>
        <label htmlFor="token">Or paste the address, or the token, here</label>
        <div class="field">
          <input
            id="token"
            type="password"
            autocomplete="off"
            spellcheck={false}
            value={text}
            aria-describedby="token-fault"
            aria-invalid={fault !== ''}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
          <button type="submit" class="primary">
            Go in
          </button>
        </div>
        <p id="token-fault" class="fault" role="alert">
          {fault}
        </p>
      </form>
    </main>
  );
}

function titleOf(refused: { readonly wasLive: boolean } | undefined): string {
  if (refused === undefined) return 'This page needs a token';
  return refused.wasLive ? 'The node has another token now' : 'The node does not take this token';
}
