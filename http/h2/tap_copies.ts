import type { Clock } from "../../net/mod.ts";
import type { Destination } from "../destination.ts";
import type { OnTapLost } from "../serve_options.ts";
import { codeOf } from "./frame.ts";
import { LaneRoom } from "./lane.ts";
import type { H2Request } from "./take_head.ts";
import { H2Upstreams } from "./upstreams.ts";

/** How many requests a tap may owe an answer, and how far it may be behind with all together. */
export const maxCopies = 256;
export const maxCopyOctets = 1024 * 1024;

interface Tap {
  readonly destination: Destination;
  readonly upstreams: H2Upstreams;
  readonly room: LaneRoom;
}

/** The taps of one client connection. Each gets its requests on streams of its own, and never holds the client. */
export class TapCopies {
  readonly #taps = new Map<Destination, Tap>();
  readonly #clock: Clock;
  readonly #onTapLost: OnTapLost;

  constructor(
    { clock, onTapLost = () => {} }: { clock: Clock; onTapLost?: OnTapLost },
  ) {
    this.#clock = clock;
    this.#onTapLost = onTapLost;
  }

  /** Copies a request whose body has not begun to come. */
  begin(request: H2Request, taps: readonly Destination[]): void {
    for (const { upstreams } of this.#taps.values()) upstreams.retireMoved();
    for (const tap of taps) this.#copy(request, this.#tap(tap));
  }

  /** The client is gone; the taps are given the rest of what came whole, for a while, if that is to be waited for. */
  async end(options: { waits: boolean }): Promise<void> {
    const taps = [...this.#taps.values()];
    await Promise.all(taps.map(({ upstreams }) => upstreams.end(options)));
  }

  #tap(destination: Destination): Tap {
    let tap = this.#taps.get(destination);
    if (tap === undefined) {
      const upstreams = new H2Upstreams({ clock: this.#clock });
      tap = { destination, upstreams, room: new LaneRoom(maxCopyOctets) };
      this.#taps.set(destination, tap);
    }
    return tap;
  }

  #copy({ stream, fields, head }: H2Request, tap: Tap): void {
    const { destination, upstreams, room } = tap;
    if (upstreams.requests >= maxCopies) {
      return this.#onTapLost(destination, behind());
    }
    const copy = stream.incoming.copy(room);
    let isOver = false;
    let breakOff = () => {};
    const leave = () => {
      isOver = true;
      stream.incoming.endCopy(copy);
      copy.discard();
      breakOff();
      upstreams.lookAgain();
    };
    const lose = (error: Error) => {
      if (isOver) return;
      leave();
      this.#onTapLost(destination, error);
    };
    copy.onOverflow = () => lose(behind());
    stream.onCancel.add(leave);
    const begin = async () => {
      const copied = await upstreams.ask(destination, fields, {
        ends: () => copy.size === 0 && copy.end?.trailers.length === 0,
        isWanted: () => !isOver,
      });
      if (copied === undefined) {
        throw new Error("Cannot copy to a tap: it takes no requests");
      }
      const { connection, stream: to } = copied;
      breakOff = () => connection.reset(to, codeOf("cancel"));
      if (isOver) return breakOff();
      to.outgoing = copy;
      to.isAnswerToHead = head.method === "HEAD";
      copy.onReadable = () => connection.wake(to);
      to.incoming.onReadable = () => to.incoming.discard();
      to.onReset = () => {
        copy.discard();
        if (!to.hasSentEnd) {
          lose(new Error("Cannot copy to a tap: it broke the request off"));
        }
      };
      connection.wake(to);
    };
    begin().catch(lose);
  }
}

function behind(): Error {
  return new Error("Cannot copy to a tap: it does not keep up");
}
