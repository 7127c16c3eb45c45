import type { Link, LinkHandler } from '../link.ts';

/** `link` without its first `sends` sends, which were made before its owner got it. */
export function withoutSends(link: Link, sends: number): Link {
  return {
    local: link.local,
    remote: link.remote,
    info: link.info,
    attach: (handler) =>
      link.attach({
        message: (bytes) => handler.message(bytes),
        written: (count) => {
          if (count > sends) handler.written(count - sends);
        },
        writable: () => handler.writable(),
        stalled: () => handler.stalled(),
        flowing: () => handler.flowing(),
        closed: (reason) => handler.closed(reason),
      }),
    protect: (maskOut, maskIn) => link.protect(maskOut, maskIn),
    send: (parts) => link.send(parts),
    pause: () => link.pause(),
    resume: () => link.resume(),
    close: (reason) => link.close(reason),
  };
}

/** `link` without its first message, and held back until it has an owner. `first` is called while that message is delivered. */
export function behindFirstMessage(link: Link, first?: () => void): Promise<Link> {
  return new Promise((resolve, reject) => {
    const handler: LinkHandler = {
      message: () => {
        first?.();
        link.pause();
        const rest: Link = {
          ...withoutSends(link, 0),
          attach: (owner) => {
            link.attach(owner);
            link.resume();
          },
        };
        resolve(rest);
      },
      written: () => {},
      writable: () => {},
      stalled: () => {},
      flowing: () => {},
      closed: reject,
    };
    link.attach(handler);
  });
}
