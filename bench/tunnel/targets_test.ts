import assert from "node:assert/strict";
import type { WayName } from "../ways/way.ts";
import type { CellReport } from "./cell_report.ts";
import { judge } from "./targets.ts";

type Values = Record<
  string,
  Partial<Record<WayName, number>> & { ratio?: number }
>;

function cell(
  { rttMs, hasWan = true, lossPercent = 0 }: {
    rttMs: number;
    hasWan?: boolean;
    lossPercent?: number;
  },
  values: Values,
): CellReport {
  const spread = (value: number) => ({ median: value, min: value, max: value });
  return {
    cell: {
      name: hasWan ? `${rttMs} ms` : "bare",
      rttMs,
      lossPercent,
      rounds: 1,
      ...(hasWan ? { wan: {} } : {}),
    },
    link: {
      roundTrips: {
        sent: 1,
        lostPercent: 0,
        medianMs: rttMs,
        minMs: rttMs,
        maxMs: rttMs,
      },
    },
    lines: Object.entries(values).map(([name, { ratio, ...ways }]) => ({
      name,
      unit: "us",
      ways: Object.fromEntries(
        Object.entries(ways).map(([way, value]) => [way, spread(value)]),
      ),
      ...(ratio === undefined ? {} : { ratio: spread(ratio) }),
    })),
    cpu: [],
    openMs: {},
    failures: [],
    breaks: [],
    cuts: [],
  };
}

function verdictOf(reports: CellReport[], cell: string, name: string) {
  const found = judge(reports).filter((one) =>
    one.cell === cell && one.name === name
  );
  assert.equal(found.length, 1, name);
  return found[0]!;
}

Deno.test("judge() holds the bare link against kubectl and against the clock", () => {
  const bare = cell({ rttMs: 0, hasWan: false }, {
    "download, 1 stream": { ratio: 1.1 },
    "request p99, beside 8 downloads": { ratio: 0.1, tp: 12_000 },
  });
  const of = (name: string) => verdictOf([bare], "bare", name);
  assert.equal(of("download, 1 stream").isMet, true);
  assert.equal(of("request p99, beside 8 downloads").isMet, true);
  assert.equal(of("request p99, beside 8 downloads, ms").value, 12);
  assert.equal(of("request p99, beside 8 downloads, ms").isMet, false);
});

Deno.test("judge() holds bulk by the direct endpoint against kubectl", () => {
  const bare = cell({ rttMs: 0, hasWan: false }, {
    "upload, 8 streams": { kubectl: 2, "tp-direct": 3, ratio: 1 },
  });
  const name = "upload, 8 streams, by the direct endpoint";
  const { value, isMet } = verdictOf([bare], "bare", name);
  assert.deepEqual([value, isMet], [1.5, true]);
});

Deno.test("judge() takes what was not measured for missed, and says so by no value", () => {
  const verdict = verdictOf(
    [cell({ rttMs: 0, hasWan: false }, {})],
    "bare",
    "upload, 1 stream",
  );
  assert.equal(verdict.isMet, false);
  assert.equal("value" in verdict, false);
});

Deno.test("judge() asks a distance for a share of the lesser of its own at 0 ms and the link", () => {
  const name = "download, 1 stream";
  const near = cell({ rttMs: 0 }, { [name]: { tp: 4 } });
  const share = (tp: number, direct: number) => {
    const far = cell({ rttMs: 20 }, { [name]: { tp, direct } });
    const what = `${name}, of its own at 0 ms or the link`;
    return verdictOf([near, far], "20 ms", what).value;
  };
  assert.equal(share(1, 2), 0.5);
  assert.equal(share(3, 8), 0.75);
});

Deno.test("judge() counts a new connection in round trips that were measured", () => {
  const far = cell({ rttMs: 20 }, {
    "connections, 16 in flight, p50": { tp: 44_000 },
  });
  const verdict = verdictOf(
    [far],
    "20 ms",
    "a new connection, in round trips",
  );
  assert.equal(verdict.value, 2.2);
  assert.equal(verdict.isMet, true);
});

Deno.test("judge() asks nothing of a link that loses", () => {
  assert.deepEqual(judge([cell({ rttMs: 20, lossPercent: 1 }, {})]), []);
});
