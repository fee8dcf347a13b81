import assert from "node:assert/strict";
import { accessTo } from "./_access_fake.ts";
import { type FakeAnswer, FakeApiServer, status } from "./_api_server_fake.ts";
import type { WatchEvent } from "./_watch.ts";
import { type ApiClient, openApi } from "./api_client.ts";
import { type Pod, resources } from "./mod.ts";
import { ApiError, ApiUnreachableError } from "./mod.ts";

const { pods } = resources;

function pod(name: string, resourceVersion: string) {
  return { metadata: { name, namespace: "a", resourceVersion } };
}

function list(resourceVersion: string, ...items: unknown[]): FakeAnswer {
  return { body: { metadata: { resourceVersion }, items } };
}

/** A watch that tells `lines` and ends, or stays open until `until` resolves. */
function lines(values: unknown[], until?: Promise<void>): FakeAnswer {
  return {
    pieces: async function* () {
      for (const value of values) {
        // Split amid the line, so that a line is more than one piece.
        const text = JSON.stringify(value) + "\n";
        yield text.slice(0, 9);
        yield text.slice(9);
      }
      await until;
    }(),
  };
}

/** Answers the questions in turn; `list` or `watch@VERSION` is noted of each. */
function script(answers: (FakeAnswer | (() => FakeAnswer))[]) {
  const asked: string[] = [];
  const server = FakeApiServer.start(({ query }) => {
    asked.push(
      query.get("watch") === "true"
        ? `watch@${query.get("resourceVersion")}`
        : `list${query.get("continue") ?? ""}`,
    );
    const answer = answers.shift() ?? status(500, "Broken", "no more answers");
    return typeof answer === "function" ? answer() : answer;
  });
  return { server, asked };
}

/** The events until one says `last`, as short texts. */
async function tell(api: ApiClient, last: string): Promise<string[]> {
  const told: string[] = [];
  for await (const event of api.watch<Pod>(pods, { namespace: "a" })) {
    told.push(text(event));
    if (told.at(-1) === last) break;
  }
  return told;
}

function text(event: WatchEvent<Pod>): string {
  if (event.type === "SYNCED") return event.type;
  const { name, resourceVersion = "" } = event.object.metadata;
  return `${event.type} ${name}@${resourceVersion}`;
}

Deno.test("watch() tells the list, then the changes", async () => {
  const { server: started, asked } = script([
    { body: { metadata: { continue: "2" }, items: [pod("x", "1")] } },
    list("5", pod("y", "2")),
    lines([
      { type: "MODIFIED", object: pod("x", "6") },
      { type: "DELETED", object: pod("y", "7") },
      { type: "ADDED", object: pod("z", "8") },
    ]),
  ]);
  await using server = started;
  await using api = openApi(accessTo(server.url));
  assert.deepEqual(await tell(api, "ADDED z@8"), [
    "ADDED x@1",
    "ADDED y@2",
    "SYNCED",
    "MODIFIED x@6",
    "DELETED y@7",
    "ADDED z@8",
  ]);
  assert.deepEqual(asked, ["list", "list2", "watch@5"]);
});

Deno.test("watch() takes up where it was, bookmarks included, when the server ends it", async () => {
  const { server: started, asked } = script([
    list("5", pod("x", "1")),
    lines([{
      type: "BOOKMARK",
      object: { metadata: { resourceVersion: "9" } },
    }]),
    lines([{ type: "MODIFIED", object: pod("x", "10") }]),
    lines([{ type: "MODIFIED", object: pod("x", "11") }]),
  ]);
  await using server = started;
  await using api = openApi(accessTo(server.url));
  assert.deepEqual(await tell(api, "MODIFIED x@11"), [
    "ADDED x@1",
    "SYNCED",
    "MODIFIED x@10",
    "MODIFIED x@11",
  ]);
  assert.deepEqual(asked, ["list", "watch@5", "watch@9", "watch@10"]);
});

const gone = {
  "410 in the watch": lines([
    { type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } },
  ]),
  "410 as the answer": status(410, "Expired", "too old resource version"),
};

for (const [how, answer] of Object.entries(gone)) {
  Deno.test(`watch() lists anew after ${how} and tells only what is different`, async () => {
    const { server: started, asked } = script([
      list("5", pod("same", "1"), pod("changed", "2"), pod("gone", "3")),
      answer,
      list("20", pod("same", "1"), pod("changed", "12"), pod("more", "13")),
      lines([{ type: "MODIFIED", object: pod("same", "21") }]),
    ]);
    await using server = started;
    await using api = openApi(accessTo(server.url));
    assert.deepEqual(await tell(api, "MODIFIED same@21"), [
      "ADDED same@1",
      "ADDED changed@2",
      "ADDED gone@3",
      "SYNCED",
      "MODIFIED changed@12",
      "ADDED more@13",
      "DELETED gone@3",
      "SYNCED",
      "MODIFIED same@21",
    ]);
    assert.deepEqual(asked, ["list", "watch@5", "list", "watch@20"]);
  });
}

Deno.test("watch() outlives a cut connection and a server in trouble", async () => {
  const until = Promise.withResolvers<void>();
  const { server: started, asked } = script([
    list("5"),
    lines([{ type: "ADDED", object: pod("x", "6") }], until.promise),
    status(503, "ServiceUnavailable", "shutting down"),
    lines([{ type: "ADDED", object: pod("y", "7") }]),
  ]);
  await using server = started;
  await using api = openApi(accessTo(server.url));
  const told: string[] = [];
  for await (const event of api.watch(pods, { namespace: "a" })) {
    told.push(text(event));
    if (told.at(-1) === "ADDED x@6") {
      server.cut();
      until.resolve();
    }
    if (told.at(-1) === "ADDED y@7") break;
  }
  assert.deepEqual(told, ["SYNCED", "ADDED x@6", "ADDED y@7"]);
  assert.deepEqual(asked, ["list", "watch@5", "watch@6", "watch@6"]);
});

Deno.test("watch() rejects when the first list is refused or the server unreachable", async () => {
  const { server: started } = script([status(403, "Forbidden", "no")]);
  let url: URL;
  {
    await using server = started;
    url = server.url;
    await using api = openApi(accessTo(url));
    await assert.rejects(
      tell(api, ""),
      (error) => error instanceof ApiError && error.verb === "list",
    );
  }
  await using api = openApi(accessTo(url));
  await assert.rejects(tell(api, ""), ApiUnreachableError);
});

Deno.test("watch() rejects when the right to watch is taken away", async () => {
  const { server: started } = script([
    list("5"),
    status(403, "Forbidden", "no"),
  ]);
  await using server = started;
  await using api = openApi(accessTo(server.url));
  await assert.rejects(tell(api, ""), { status: 403, verb: "watch" });
});

Deno.test("watch() ends when the signal aborts and when the client is disposed", async () => {
  const until = Promise.withResolvers<void>();
  const { server: started } = script([
    list("5"),
    () => lines([], until.promise),
    list("5"),
    () => lines([], until.promise),
  ]);
  await using server = started;
  const api = openApi(accessTo(server.url));
  const abort = new AbortController();
  for await (const event of api.watch(pods, { signal: abort.signal })) {
    assert.equal(event.type, "SYNCED");
    setTimeout(() => abort.abort(), 5);
  }
  for await (const event of api.watch(pods)) {
    assert.equal(event.type, "SYNCED");
    setTimeout(() => api[Symbol.asyncDispose](), 5);
  }
  until.resolve();
});
