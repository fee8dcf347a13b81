import assert from "node:assert/strict";
import type { ApiClient } from "../../k8s/mod.ts";
import { type ConnectEvent, imageUnusedText } from "../api.ts";
import { ensureManager } from "./manager.ts";

Deno.test("ensureManager() tells who names an image that the manager is there", async () => {
  for (const isImageGiven of [true, false]) {
    const told: ConnectEvent[] = [];
    await ensureManager({} as ApiClient, { state: "ready", ready: [] }, {
      ...{ managerNamespace: "ambassador", image: "tp:1", isImageGiven },
      signal: new AbortController().signal,
      tell: (event) => told.push(event),
    });
    const text = imageUnusedText;
    assert.deepEqual(told, isImageGiven ? [{ event: "progress", text }] : []);
  }
});
