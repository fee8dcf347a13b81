import assert from "node:assert/strict";
import { SignalFan } from "./signal_fan.ts";

Deno.test("SignalFan fires each branch that is not disposed of, and listens once", () => {
  const source = new AbortController();
  let listeners = 0;
  const { signal } = source;
  const listen = signal.addEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof listen>) => {
    listeners++;
    listen(...args);
  };
  const fan = new SignalFan(signal);
  const [stays, goes] = [fan.branch(), fan.branch()];
  goes[Symbol.dispose]();
  const reason = new Error("closed");
  source.abort(reason);
  assert.equal(stays.signal.reason, reason);
  assert.equal(goes.signal.aborted, false);
  assert.equal(fan.branch().signal.reason, reason, "who comes too late");
  assert.equal(listeners, 1);
});
