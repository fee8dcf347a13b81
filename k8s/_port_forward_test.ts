import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { accessTo } from "./_access_fake.ts";
import {
  type FakeAnswer,
  FakeApiServer,
  type FakeRequest,
  send,
  status,
} from "./_api_server_fake.ts";
import { joined, utf8 } from "./_pieces_fake.ts";
import { openApi } from "./api_client.ts";
import { ApiError } from "./api_error.ts";
import { ApiUnreachableError } from "./unreachable.ts";

const way = { namespace: "ambassador", pod: "manager-0", port: 7410 };
const path = "/api/v1/namespaces/ambassador/pods/manager-0/portforward";

/** Replies to both streams, "hi" on the data stream, its end. */
const spdyHi = new Uint8Array([
  ...[0x80, 3, 0, 2, 0, 0, 0, 4, 0, 0, 0, 1],
  ...[0x80, 3, 0, 2, 0, 0, 0, 4, 0, 0, 0, 3],
  ...[0, 0, 0, 3, 1, 0, 0, 2, ...utf8("hi")],
]);

/** Which way a request asks for. */
function askedWay({ method, headers }: FakeRequest): string {
  if (method === "POST") {
    assert.equal(headers.get("upgrade"), "SPDY/3.1");
    assert.equal(
      headers.get("x-stream-protocol-version"),
      "portforward.k8s.io",
    );
    return "spdy";
  }
  assert.equal(headers.get("upgrade"), "websocket");
  assert.equal(headers.get("sec-websocket-version"), "13");
  return headers.get("sec-websocket-protocol")!;
}

/** Takes the upgrade, says "hi" in the way's own words, and stays until the client goes. */
function hi(request: FakeRequest): FakeAnswer {
  const protocol = askedWay(request);
  const key = request.headers.get("sec-websocket-key");
  const accept = createHash("sha1")
    .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  const bytes = protocol === "spdy"
    ? spdyHi
    : protocol === "v4.channel.k8s.io"
    ? new Uint8Array([
      ...[0x82, 3, 0, 0xf2, 0x1c, 0x82, 3, 1, 0xf2, 0x1c],
      ...[0x82, 3, 0, ...utf8("hi"), 0x88, 2, 0x03, 0xe8],
    ])
    : joined([0x82, spdyHi.length], spdyHi);
  const headers: Record<string, string> = protocol === "spdy"
    ? { connection: "Upgrade", upgrade: "SPDY/3.1" }
    : {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-accept": accept,
      "sec-websocket-protocol": protocol,
    };
  return {
    status: 101,
    headers,
    takeOver: async (conn) => {
      await send(conn, bytes);
      const buffer = new Uint8Array(1000);
      while (await conn.read(buffer) !== null);
    },
  };
}

/** A server that answers by the way asked for; what has no answer says "hi". */
function start(answers: Record<string, FakeAnswer> = {}) {
  const ways: string[] = [];
  const server = FakeApiServer.start((request) => {
    assert.equal(request.path, path);
    ways.push(askedWay(request));
    return answers[askedWay(request)] ?? hi(request);
  });
  return { server, ways };
}

const spdyInWebSocket = "SPDY/3.1+portforward.k8s.io";
const channels = "v4.channel.k8s.io";
const no = { status: 400, body: "you must specify at least 1 port" };

async function readHi(server: FakeApiServer, times = 1): Promise<void> {
  await using api = openApi(accessTo(server.url));
  for (let i = 0; i < times; i++) {
    const conn = await api.portForward(way);
    const into = new Uint8Array(10);
    assert.equal(await conn.read(into), 2);
    assert.deepEqual(into.subarray(0, 2), utf8("hi"));
    assert.equal(await conn.read(into), null);
    conn.close();
  }
}

Deno.test("portForward() speaks SPDY inside a WebSocket first", async () => {
  const { server: started, ways } = start();
  await using server = started;
  await readHi(server);
  assert.deepEqual(ways, [spdyInWebSocket]);
});

const refusals: [string, FakeAnswer][] = [
  ["is refused", no],
  ["is not found by a proxy", { status: 404, body: "not found" }],
  ["meets a failure", status(500, "InternalError", "unable to upgrade")],
  ["is answered without an upgrade", { body: "hello" }],
  ["gets another protocol", {
    status: 101,
    headers: { "sec-websocket-protocol": channels },
    takeOver: () => Promise.resolve(),
  }],
];

for (const [what, answer] of refusals) {
  Deno.test(`portForward() goes the next way when the WebSocket ${what}, and remembers it`, async () => {
    const { server: started, ways } = start({ [spdyInWebSocket]: answer });
    await using server = started;
    await readHi(server, 2);
    assert.deepEqual(ways, [spdyInWebSocket, "spdy", "spdy"]);
  });
}

Deno.test("portForward() goes the next way when the server hangs up after the upgrade", async () => {
  const ways: string[] = [];
  await using server = FakeApiServer.start((request) => {
    ways.push(askedWay(request));
    const answer = hi(request);
    return ways.length === 1
      ? { ...answer, takeOver: () => Promise.resolve() }
      : answer;
  });
  await readHi(server);
  assert.deepEqual(ways, [spdyInWebSocket, "spdy"]);
});

Deno.test("portForward() speaks WebSocket channels where nothing else is known", async () => {
  const { server: started, ways } = start({
    [spdyInWebSocket]: no,
    spdy: { status: 405, body: "" },
  });
  await using server = started;
  await readHi(server, 2);
  assert.deepEqual(ways, [spdyInWebSocket, "spdy", channels, channels]);
  assert.equal(server.asked.at(-1)!.query.get("ports"), "7410");
});

Deno.test("portForward() tries all ways again when what worked fails", async () => {
  const answers: Record<string, FakeAnswer> = { [spdyInWebSocket]: no };
  const { server: started, ways } = start(answers);
  await using server = started;
  await using api = openApi(accessTo(server.url), { portForwardWay: "spdy" });
  (await api.portForward(way)).close();
  answers["spdy"] = no;
  (await api.portForward(way)).close();
  assert.equal(api.portForwardWay, "channel");
  assert.deepEqual(ways, ["spdy", "spdy", spdyInWebSocket, channels]);
});

async function rejection(server: FakeApiServer): Promise<ApiError> {
  await using api = openApi(accessTo(server.url));
  try {
    await api.portForward(way);
  } catch (error) {
    assert.ok(error instanceof ApiError, String(error));
    return error;
  }
  assert.fail("it opened");
}

Deno.test("portForward() asks with the other verb when one is forbidden, and no more", async () => {
  const forbidden = status(403, "Forbidden", "cannot get pods/portforward");
  const half = start({ [spdyInWebSocket]: forbidden });
  {
    await using server = half.server;
    await readHi(server);
    assert.deepEqual(half.ways, [spdyInWebSocket, "spdy"]);
  }
  const all = start({ [spdyInWebSocket]: forbidden, spdy: forbidden });
  await using server = all.server;
  const error = await rejection(server);
  assert.deepEqual(all.ways, [spdyInWebSocket, "spdy"]);
  assert.deepEqual(error.question, {
    verb: "get",
    resource: "pods/portforward",
    group: "",
    namespace: "ambassador",
    name: "manager-0",
  });
});

Deno.test("portForward() tells at once that the pod is not there or the user not known", async () => {
  for (
    const [code, reason] of [[404, "NotFound"], [401, "Unauthorized"]] as const
  ) {
    const { server: started, ways } = start({
      [spdyInWebSocket]: status(code, reason, "no"),
    });
    await using server = started;
    assert.equal((await rejection(server)).status, code);
    assert.deepEqual(ways, [spdyInWebSocket]);
  }
});

Deno.test("portForward() tells the server's own words when no way leads there", async () => {
  const words = "unable to forward port because pod is not running";
  const failure = status(500, "InternalError", words);
  const { server: started } = start({
    [spdyInWebSocket]: { ...hiBroken },
    spdy: failure,
    [channels]: failure,
  });
  await using server = started;
  assert.equal((await rejection(server)).detail, words);
});

/** An upgrade that agrees to nothing. */
const hiBroken: FakeAnswer = {
  status: 101,
  takeOver: () => Promise.resolve(),
};

Deno.test("portForward() renews the credential after a 401", async () => {
  let token = "t1";
  const { server: started } = {
    server: FakeApiServer.start((request) =>
      request.headers.get("authorization") === "Bearer t2"
        ? hi(request)
        : status(401, "Unauthorized", "Unauthorized")
    ),
  };
  await using server = started;
  const proofs = new Map<string, { authorization: string }>();
  const credential = {
    present: () => {
      const authorization = `Bearer ${token}`;
      const proof = proofs.get(token) ?? { authorization };
      proofs.set(token, proof);
      return Promise.resolve(proof);
    },
    renew: () => {
      token = "t2";
      return true;
    },
  };
  await using api = openApi(accessTo(server.url, { credential }));
  (await api.portForward(way)).close();
  assert.equal(server.asked.length, 2);
});

Deno.test("portForward() tells the second 401", async () => {
  const { server: started, ways } = start({
    [spdyInWebSocket]: status(401, "Unauthorized", "Unauthorized"),
  });
  await using server = started;
  let given = 0;
  const credential = {
    // As a plugin that has an answer each time, never a good one; the third would be one too many.
    present: () =>
      given < 3
        ? Promise.resolve({ authorization: `Bearer t${given++}` })
        : Promise.reject(new Error("asked without end")),
    renew: () => true,
  };
  await using api = openApi(accessTo(server.url, { credential }));
  await assert.rejects(api.portForward(way), { status: 401 });
  assert.equal(given, 2);
  assert.deepEqual(ways, [spdyInWebSocket, spdyInWebSocket]);
});

Deno.test("portForward() tells an unreachable server at once", async () => {
  const { server: started } = start();
  const { url } = started;
  await started[Symbol.asyncDispose]();
  await using api = openApi(accessTo(url));
  await assert.rejects(api.portForward(way), ApiUnreachableError);
});

Deno.test("portForward() gives up when called off", async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<FakeAnswer>();
  await using server = FakeApiServer.start(() => {
    asked.resolve();
    return answer.promise;
  });
  await using api = openApi(accessTo(server.url));
  const abort = new AbortController();
  const opening = api.portForward({ ...way, signal: abort.signal });
  await asked.promise;
  abort.abort(new Error("enough"));
  await assert.rejects(opening, { message: "enough" });
  answer.resolve({});
});
