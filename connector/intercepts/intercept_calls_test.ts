import assert from "node:assert/strict";
import type { Intercept, InterceptStatus } from "../../manager/api.ts";
import type { InterceptEvent, InterceptRequest } from "./api.ts";
import { refusal } from "./cluster_fake.ts";
import { InterceptCalls } from "./intercept_calls.ts";
import type { Intercepts } from "./intercepts.ts";
import { place as intercepted } from "./intercepts_fake.ts";

/** A connection to the workload's namespace. */
function place() {
  const namespace = "orders";
  const { cluster, intercepts } = intercepted(namespace);
  const { api } = cluster;
  const calls = new InterceptCalls({ api, intercepts, namespace });
  return { cluster, intercepts, calls };
}

async function post(
  calls: InterceptCalls,
  path: string,
  body: unknown,
): Promise<Response> {
  const request = new Request(`http://127.0.0.1${path}`, {
    ...{ method: "POST", body: JSON.stringify(body) },
  });
  return (await calls.answer(request))!;
}

const request = (isHeld: boolean): InterceptRequest => ({
  ...{ name: "web", mode: "intercept", ports: [], address: "127.0.0.1" },
  ...{ toPod: [], localOnly: false, isHeld },
});

/** Reads events until `intercepted` or `failed`; the rest stays to be read. */
async function untilTold(response: Response) {
  const reader = response.body!.pipeThrough(new TextDecoderStream())
    .getReader();
  for (let text = "";;) {
    const { value = "", done } = await reader.read();
    text += value;
    const events = text.split("\n").slice(0, -1)
      .map((line): InterceptEvent => JSON.parse(line));
    const last = events.at(-1);
    if (done || last?.event === "intercepted" || last?.event === "failed") {
      return { events, reader };
    }
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 1));
}

Deno.test("POST /intercept tells what happens, and the intercept outlives who asked for it", async () => {
  const { cluster, calls } = place();
  const { events, reader } = await untilTold(
    await post(calls, "/intercept", request(false)),
  );
  assert.deepEqual(events.map(({ event }) => event).slice(-1), ["intercepted"]);
  assert.equal((await reader.read()).done, true);
  assert.equal(cluster.intercepts().length, 1);
  const left = await calls.leave({ name: "web" });
  assert.deepEqual(await left.json(), { isPending: false });
  assert.equal(cluster.intercepts().length, 0);
});

Deno.test("POST /intercept of a held one ends it with who asked for it", async () => {
  const { cluster, calls } = place();
  const { reader } = await untilTold(
    await post(calls, "/intercept", request(true)),
  );
  assert.equal(cluster.intercepts().length, 1);
  await reader.cancel();
  await until(() => cluster.intercepts().length === 0);
});

Deno.test("POST /intercept of a held one tells that somebody else has ended it", async () => {
  const { cluster, calls } = place();
  const { reader } = await untilTold(
    await post(calls, "/intercept", request(true)),
  );
  cluster.remove("intercepts", cluster.intercepts()[0]!.metadata.name!);
  const { value } = await reader.read();
  assert.equal(JSON.parse(value!).event, "ended");
  assert.equal((await reader.read()).done, true);
});

Deno.test("POST /intercept of a held one tells when another has its traffic, and when it has it again", async () => {
  const { cluster, calls } = place();
  const { reader } = await untilTold(
    await post(calls, "/intercept", request(true)),
  );
  const [object] = cluster.intercepts();
  const turn = async (status: InterceptStatus) => {
    cluster.setStatus(object!, status);
    return JSON.parse((await reader.read()).value!);
  };
  const conflict = { phase: "Conflict", message: "it is bob's" } as const;
  const told = [await turn(conflict), await turn({ phase: "Active" })];
  assert.deepEqual(told, [
    { event: "turned", text: "has no traffic: it is bob's" },
    { event: "turned", text: "has its traffic again" },
  ]);
  // What is no turn is not told.
  cluster.setStatus(object!, { phase: "Away", message: "away" });
  cluster.setStatus(object!, { phase: "Active" });
  assert.equal((await turn(conflict)).event, "turned");
  await reader.cancel();
  await until(() => cluster.intercepts().length === 0);
});

Deno.test("POST /intercept of a held one tells when its object cannot be seen any more, when it can again, and that it is gone", async () => {
  const { cluster, calls } = place();
  const { reader } = await untilTold(
    await post(calls, "/intercept", request(true)),
  );
  const next = async () => JSON.parse((await reader.read()).value!);
  const no = refusal(403, "Forbidden", { plural: "intercepts" });
  cluster.hide(no);
  const { event, text } = await next();
  assert.equal(event, "turned");
  assert.ok(text.startsWith("may have ended, which this user is not told"));
  assert.ok(text.endsWith(no.message));
  cluster.hide(undefined);
  assert.deepEqual(await next(), {
    ...{ event: "turned", text: "can be seen again" },
  });
  cluster.hide(no);
  assert.equal((await next()).event, "turned");
  const [{ metadata: { name } }] = cluster.intercepts() as [Intercept];
  cluster.remove("intercepts", name!);
  cluster.hide(undefined);
  assert.equal((await next()).event, "turned");
  assert.equal((await next()).event, "ended");
  assert.equal((await reader.read()).done, true);
});

Deno.test("POST /intercept of a held one tells that it has failed, and ends it", async () => {
  const { cluster, calls } = place();
  const { reader } = await untilTold(
    await post(calls, "/intercept", request(true)),
  );
  const [object] = cluster.intercepts();
  cluster.setStatus(object!, { phase: "Failed", message: "no agents" });
  const { value } = await reader.read();
  assert.deepEqual(JSON.parse(value!), {
    ...{ event: "ended", reason: "it has failed: no agents" },
  });
  assert.equal((await reader.read()).done, true);
  assert.deepEqual(cluster.intercepts(), []);
});

Deno.test("answers that go on end with the connection, so that the connector can", async () => {
  const { calls, intercepts } = place();
  const { reader } = await untilTold(
    await post(calls, "/intercept", request(true)),
  );
  const list = await calls.answer(
    new Request("http://127.0.0.1/list?watch=true"),
  );
  calls[Symbol.dispose]();
  await intercepts[Symbol.asyncDispose]();
  const { value } = await reader.read();
  assert.deepEqual(JSON.parse(value!), {
    ...{ event: "ended", reason: "it was left" },
  });
  assert.equal((await reader.read()).done, true);
  await list!.text();
});

Deno.test("POST /intercept is called off by who goes away before it stands", async () => {
  const { cluster, calls } = place();
  cluster.status = undefined;
  const response = await post(calls, "/intercept", request(false));
  await until(() => cluster.intercepts().length === 1);
  await response.body!.cancel();
  await until(() => cluster.intercepts().length === 0);
});

Deno.test("InterceptCalls.leave() and GET /list say why they cannot", async () => {
  const { cluster, calls } = place();
  const left = await calls.leave({ name: "web" });
  assert.equal(left.status, 409);
  assert.equal((await left.json()).kind, "intercept-unknown");
  const { api } = cluster;
  const deaf = {
    ...api,
    list: (resource: Parameters<typeof api.list>[0]) =>
      Promise.reject(refusal(403, "Forbidden", resource)),
  } as typeof api;
  const intercepts = { list: () => [] } as unknown as Intercepts;
  const other = new InterceptCalls({
    ...{ api: deaf, intercepts, namespace: "orders" },
  });
  for (const path of ["/list", "/list?watch=true"]) {
    const list = await other.answer(new Request(`http://127.0.0.1${path}`));
    assert.equal(list!.status, 409);
    assert.equal((await list!.json()).kind, "forbidden");
  }
});

Deno.test("GET /list follows what changes, a line each time", async () => {
  const { cluster, calls } = place();
  const list = await calls.answer(
    new Request("http://127.0.0.1/list?watch=true"),
  );
  const reader = list!.body!.pipeThrough(new TextDecoderStream()).getReader();
  const first = JSON.parse((await reader.read()).value!);
  assert.equal(first.length, 1);
  assert.deepEqual(first[0].intercept_infos, []);
  await untilTold(await post(calls, "/intercept", request(false)));
  const second = JSON.parse((await reader.read()).value!);
  assert.equal(second[0].intercept_infos[0].name, "web");
  await reader.cancel();
  await calls.leave({ name: "web" });
  assert.equal(cluster.intercepts().length, 0);
});

Deno.test("GET /intercepts tells what this connection has, as it was asked for", async () => {
  const { calls } = place();
  await untilTold(await post(calls, "/intercept", request(false)));
  const asked = new Request("http://127.0.0.1/intercepts");
  const own = await (await calls.answer(asked))!.json();
  assert.equal(own.length, 1);
  assert.deepEqual(own[0].request, { ...request(false), namespace: "orders" });
  assert.equal(own[0].info.disposition, "ACTIVE");
  await calls.leave({ name: "web" });
  assert.deepEqual(await (await calls.answer(asked))!.json(), []);
});
