import assert from "node:assert/strict";
import { FakeClock } from "../../net/clock_fake.ts";
import { type Presence, SessionLedger } from "./session_ledger.ts";

const start = Date.parse("2026-01-01T00:00:00Z");

function open(options: { goneMs?: number } = {}) {
  const clock = new FakeClock();
  const wallNow = () => start + clock.now();
  const ledger = new SessionLedger({ clock, wallNow, ...options });
  return { clock, ledger };
}

function at(ms: number): string {
  return new Date(start + ms).toISOString();
}

const first: { what: string; renewedMsAgo: number; presence: Presence }[] = [
  { what: "was renewed just now", renewedMsAgo: 0, presence: "here" },
  { what: "was renewed 29 s ago", renewedMsAgo: 29_000, presence: "here" },
  { what: "was renewed 31 s ago", renewedMsAgo: 31_000, presence: "away" },
  { what: "is of yesterday", renewedMsAgo: 86_400_000, presence: "away" },
  { what: "is of the future", renewedMsAgo: -3_600_000, presence: "here" },
];
for (const { what, renewedMsAgo, presence } of first) {
  Deno.test(`SessionLedger says "${presence}" of a Lease that ${what}`, () => {
    const { ledger } = open();
    ledger.seeLease("a", { renewTime: at(-renewedMsAgo) });
    assert.equal(ledger.presenceOf("a"), presence);
  });
}

Deno.test("SessionLedger counts from the last renewal that it saw, whatever the Lease's clock", () => {
  const { clock, ledger } = open();
  const anHourAhead = 3_600_000;
  ledger.seeLease("a", { renewTime: at(anHourAhead), holder: "m-1" });
  clock.advance(20_000);
  ledger.seeLease("a", { renewTime: at(anHourAhead + 10_000), holder: "m-1" });
  clock.advance(29_000);
  // The same again is no sign.
  ledger.seeLease("a", { renewTime: at(anHourAhead + 10_000), holder: "m-1" });
  assert.equal(ledger.presenceOf("a"), "here");
  assert.equal(ledger.holderOf("a"), "m-1");
  clock.advance(1_000);
  assert.equal(ledger.presenceOf("a"), "away");
  clock.advance(14 * 60_000 + 29_999);
  assert.equal(ledger.presenceOf("a"), "away");
  clock.advance(1);
  assert.equal(ledger.presenceOf("a"), "gone");
  ledger.seeHere("a", "m-0");
  assert.equal(ledger.presenceOf("a"), "here");
  assert.equal(ledger.holderOf("a"), "m-0");
});

Deno.test("SessionLedger gives who was away with the manager a minute", () => {
  const { clock, ledger } = open();
  ledger.seeLease("a", { renewTime: at(-86_400_000) });
  clock.advance(59_999);
  assert.equal(ledger.presenceOf("a"), "away");
  clock.advance(1);
  assert.equal(ledger.presenceOf("a"), "gone");
});

Deno.test("SessionLedger takes an intercept that was just made for a sign of its laptop", () => {
  const { clock, ledger } = open();
  ledger.seeLease("a", { renewTime: at(-86_400_000) });
  ledger.seeIntercept("a", at(0));
  assert.equal(ledger.presenceOf("a"), "here");
  clock.advance(30_000);
  ledger.seeIntercept("a", at(0));
  assert.equal(ledger.presenceOf("a"), "away");
});

for (const by of ["a Lease that changes", "its carrier"]) {
  Deno.test(`SessionLedger believes no intercept of a laptop that it knows by ${by}: it may be anybody's`, () => {
    const { clock, ledger } = open();
    ledger.seeLease("a", { renewTime: at(-60_000) });
    if (by === "its carrier") ledger.seeHere("a", "m-0");
    else ledger.seeLease("a", { renewTime: at(0) });
    clock.advance(31_000);
    ledger.seeIntercept("a", at(31_000));
    assert.equal(ledger.presenceOf("a"), "away");
  });
}

Deno.test("SessionLedger lets laptops be gone as soon as it is told, and those away with the manager half of what is left", () => {
  const { clock, ledger } = open({ goneMs: 60_000 });
  ledger.seeHere("seen", "m-0");
  ledger.seeLease("old", { renewTime: at(-86_400_000) });
  const presences = () => ["seen", "old"].map((one) => ledger.presenceOf(one));
  clock.advance(14_999);
  assert.deepEqual(presences(), ["here", "away"]);
  clock.advance(1);
  assert.deepEqual(presences(), ["here", "gone"]);
  clock.advance(44_999);
  assert.deepEqual(presences(), ["away", "gone"]);
  clock.advance(1);
  assert.deepEqual(presences(), ["gone", "gone"]);
});
