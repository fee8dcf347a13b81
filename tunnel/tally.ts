import type { Carrier } from "./carrier.ts";
import type { Moves } from "./moves.ts";
import type { SessionStats } from "./session.ts";
import type { Streams } from "./streams.ts";

/** Counts for a session: its live carriers, and what those that are gone have moved. */
export class Tally {
  #bytesSent = 0;
  #bytesReceived = 0;
  #roundTripMs = 0;
  #leastRoundTripMs = 0;

  /** `carrier` is gone. */
  add(carrier: Carrier): void {
    const stats = carrier.stats();
    this.#bytesSent += stats.bytesSent;
    this.#bytesReceived += stats.bytesReceived;
    if (stats.roundTripMs === 0) return;
    this.#roundTripMs = stats.roundTripMs;
    this.#leastRoundTripMs = stats.leastRoundTripMs;
  }

  /** @param live The carriers that are not gone. */
  stats(
    live: Iterable<Carrier>,
    { streams, moves }: { streams: Streams; moves: Moves },
  ): SessionStats {
    const carriers = Array.from(live, (one) => one.stats());
    const sum = (of: "bytesSent" | "bytesReceived", gone: number) =>
      carriers.reduce((total, one) => total + one[of], gone);
    const nearest = carriers.filter((one) => one.roundTripMs > 0)
      .toSorted((a, b) => a.roundTripMs - b.roundTripMs)[0];
    return {
      state: carriers.length > 0 ? "connected" : "waiting",
      carriers,
      streams: streams.table.size,
      bytesSent: sum("bytesSent", this.#bytesSent),
      bytesReceived: sum("bytesReceived", this.#bytesReceived),
      roundTripMs: nearest?.roundTripMs ?? this.#roundTripMs,
      leastRoundTripMs: nearest?.leastRoundTripMs ?? this.#leastRoundTripMs,
      moves: moves.count,
      movedStreams: moves.streams,
      resentBytes: streams.resentBytes,
      datagramsDropped: streams.datagrams.dropped,
      unreadBytes: streams.unreadBytes,
      promisedBytes: streams.windows.promisedBytes,
      keptBytes: streams.kept.takenBytes,
    };
  }
}
