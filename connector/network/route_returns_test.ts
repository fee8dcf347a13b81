import assert from "node:assert/strict";
import { lastTrouble } from "../../log.ts";
import { FakeClock } from "../../net/clock_fake.ts";
import { Subnet } from "../../net/mod.ts";
import { RouteReturns } from "./route_returns.ts";

const taken = ["10.96.0.0/16", "10.244.0.0/24"].map(Subnet.parse);

Deno.test("RouteReturns.areDue() is true five times at once, then once a minute, and five times again when it was calm", () => {
  const clock = new FakeClock();
  const returns = new RouteReturns({ clock });
  /** So often as the routes are looked at in so many seconds. */
  const inSeconds = (seconds: number) => {
    let count = 0;
    for (let i = 0; i < seconds; i++) {
      if (returns.areDue(taken)) count++;
      clock.advance(1_000);
    }
    return count;
  };
  assert.equal(inSeconds(30), 5);
  assert.equal(inSeconds(30), 0);
  assert.equal(inSeconds(600), 10);
  clock.advance(600_000);
  assert.equal(inSeconds(30), 5);
});

Deno.test("RouteReturns.areDue() tells who takes away again and again, once until it has been calm", () => {
  const clock = new FakeClock();
  const returns = new RouteReturns({ clock });
  const before = lastTrouble();
  for (let i = 0; i < 5; i++) assert.ok(returns.areDue(taken));
  assert.equal(lastTrouble(), before, "what was mended is no trouble");
  assert.equal(returns.areDue(taken), false);
  const told = lastTrouble();
  assert.match(
    told!.text,
    /^another program takes routes away again and again: .* once a minute \(routes 10\.96\.0\.0\/16, 10\.244\.0\.0\/24\)$/,
  );
  for (let i = 0; i < 600; i++) {
    clock.advance(1_000);
    returns.areDue(taken);
  }
  assert.equal(lastTrouble(), told);
  clock.advance(600_000);
  const many = [...taken, ...["10.0.0.0/24", "10.0.1.0/24"].map(Subnet.parse)];
  for (let i = 0; i < 6; i++) returns.areDue(many);
  assert.match(lastTrouble()!.text, /24, 10\.0\.0\.0\/24 and 1 more\)$/);
});
