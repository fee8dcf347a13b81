import assert from "node:assert/strict";
import { connect as connectTls } from "node:tls";
import { setLogSink } from "../log.ts";
import { FakeClock } from "../net/clock_fake.ts";
import { soon } from "../net/soon_fake.ts";
import { until } from "../tunnel/session_fake.ts";
import type { Agent } from "./agent_object.ts";
import { type Certificate, makeCertificate } from "./certificate.ts";
import { Feed } from "./feed.ts";
import { Webhook, type WebhookOptions } from "./webhook.ts";

const name = "localhost";
const authority = await makeCertificate({
  ...{ name: "CA", authority: true },
  ...{ notBefore: new Date(0), notAfter: new Date("2100-01-01") },
});

function serving(issuer = authority): Promise<Certificate> {
  const [notBefore, notAfter] = [new Date(0), new Date("2100-01-01")];
  return makeCertificate({ name, issuer, notBefore, notAfter });
}

const agent: Agent = {
  metadata: { name: "deployment-web" },
  spec: {
    manager: "ambassador",
    workload: {
      ...{ apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      uid: "1",
    },
    ports: [],
    replaced: [],
    users: {},
  },
};
const pod = {
  metadata: { generateName: "web-" },
  spec: { containers: [{ name: "app" }] },
};

function question(object: unknown = pod, more: Record<string, unknown> = {}) {
  return {
    ...{ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview" },
    request: {
      ...{ uid: "u-1", namespace: "shop", operation: "CREATE", object },
      resource: { group: "", version: "v1", resource: "pods" },
      ...more,
    },
  };
}

interface Asked extends AsyncDisposable {
  readonly webhook: Webhook;
  readonly certificates: Feed<Certificate>;
  readonly hostname: string;
  readonly port: number;
  ask(body: unknown, path?: string): Promise<Response>;
  answer(body: unknown): Promise<Record<string, unknown>>;
}

/** A webhook on a port of its own, and who asks it. */
async function open(options: Partial<WebhookOptions> = {}): Promise<Asked> {
  const certificates = new Feed<Certificate>();
  certificates.set(await serving());
  // Taken and given back, for a number that is free.
  const { port } = (() => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    return listener.addr;
  })();
  const webhook = new Webhook({
    address: { hostname: "127.0.0.1", port },
    certificates,
    agentOf: () => Promise.resolve(agent),
    injection: () => ({
      ...{ image: "i", authorities: "PEM", nativeSidecar: true },
    }),
    clock: new FakeClock(),
    ...options,
  });
  const client = Deno.createHttpClient({ caCerts: [authority.cert] });
  const ask = (body: unknown, path = "/pods") =>
    fetch(`https://localhost:${port}${path}`, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
      client,
    });
  // It listens a moment later.
  for (let attempt = 0;; attempt++) {
    try {
      await (await ask("", "/")).body?.cancel();
      break;
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  return {
    ...{ webhook, certificates, ask, port, hostname: name },
    answer: async (body) => (await (await ask(body)).json()).response,
    [Symbol.asyncDispose]: async () => {
      client.close();
      await webhook[Symbol.asyncDispose]();
    },
  };
}

function patchIn({ patch }: Record<string, unknown>) {
  const bytes = Uint8Array.fromBase64(patch as string);
  return JSON.parse(new TextDecoder().decode(bytes));
}

Deno.test("Webhook gives a pod of a workload with an agent its patch", async () => {
  const asked: unknown[] = [];
  const reviews: unknown[] = [];
  await using one = await open({
    agentOf: (pod, { namespace }) => {
      asked.push([pod.metadata.generateName, namespace]);
      return Promise.resolve(agent);
    },
    onReview: ({ uid, dryRun }) => reviews.push([uid, dryRun]),
  });
  const response = await one.answer(question(pod, { dryRun: true }));
  assert.equal(response.uid, "u-1");
  assert.equal(response.allowed, true);
  assert.equal(response.patchType, "JSONPatch");
  const patch = patchIn(response);
  assert.ok(
    patch.some(({ path }: { path: string }) => path === "/spec/initContainers"),
  );
  assert.deepEqual(asked, [["web-", "shop"]]);
  assert.deepEqual(reviews, [["u-1", true]]);
  assert.deepEqual(one.webhook.counts, { reviews: 1, injected: 1, failed: 0 });
});

const allowed = { uid: "u-1", allowed: true };

Deno.test("Webhook lets every other pod be as it is", async () => {
  await using none = await open({ agentOf: () => Promise.resolve(undefined) });
  assert.deepEqual(await none.answer(question()), allowed);
  await using some = await open();
  const hostNetwork = { ...pod, spec: { ...pod.spec, hostNetwork: true } };
  assert.deepEqual(await some.answer(question(hostNetwork)), allowed);
});

Deno.test("Webhook lets a pod be as it is when something goes wrong", async () => {
  await using failing = await open({
    agentOf: () => Promise.reject(new Error("no answer")),
  });
  assert.deepEqual(await failing.answer(question()), allowed);
  assert.equal(failing.webhook.counts.failed, 1);
  await using early = await open({ injection: () => undefined });
  assert.deepEqual(await early.answer(question()), allowed);
});

Deno.test("Webhook answers before the API server's patience ends", async () => {
  const clock = new FakeClock();
  const asked = Promise.withResolvers<void>();
  await using slow = await open({
    clock,
    agentOf: () => {
      asked.resolve();
      return new Promise(() => {});
    },
  });
  const answer = slow.answer(question());
  await asked.promise;
  clock.advance(4_000);
  assert.deepEqual(await answer, allowed);
});

async function status(answer: Promise<Response>): Promise<number> {
  const { status, body } = await answer;
  await body?.cancel();
  return status;
}

Deno.test("Webhook answers nothing but what the API server asks", async () => {
  await using one = await open();
  const wrong: unknown[] = [
    "",
    "null",
    "{}",
    question(pod, { operation: "UPDATE" }),
    question(pod, { subResource: "ephemeralcontainers" }),
    question({ spec: {} }),
    question(null),
    question({ spec: { containers: [null] } }),
    question({ spec: { containers: [], volumes: {} } }),
    question({ ...pod, metadata: { annotations: "x" } }),
    question({ ...pod, metadata: { name: "x".repeat(300) } }),
    question(pod, { namespace: "../../api" }),
    question(pod, { namespace: "shop/a" }),
    question(pod, { resource: { group: "apps", resource: "deployments" } }),
    "x".repeat(5 * 1024 * 1024),
  ];
  for (const body of wrong) {
    assert.equal(await status(one.ask(body)), 400, JSON.stringify(body));
  }
  assert.equal(await status(one.ask(question(), "/other")), 404);
  assert.equal(one.webhook.counts.reviews, 0);
});

Deno.test("Webhook serves with the certificate of the day, and loses no question at the change", async () => {
  await using one = await open();
  let over = false;
  const answers: unknown[] = [];
  const asking = (async () => {
    while (!over) answers.push((await one.answer(question())).allowed);
  })();
  for (let change = 0; change < 3; change++) {
    one.certificates.set(await serving());
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  over = true;
  await asking;
  // Of another authority, whom this client does not trust: on connections that come.
  const other = await makeCertificate({
    ...{ name: "other CA", authority: true },
    ...{ notBefore: new Date(0), notAfter: new Date("2100-01-01") },
  });
  one.certificates.set(await serving(other));
  const client = Deno.createHttpClient({ caCerts: [other.cert] });
  const { hostname, port } = one;
  const init = { method: "POST", body: JSON.stringify(question()), client };
  const answer = await fetch(`https://${hostname}:${port}/pods`, init);
  assert.equal((await answer.json()).response.allowed, true);
  client.close();
  assert.ok(answers.length > 3);
  assert.ok(answers.every((answer) => answer === true));
});

/** Connections from another address than that of who asks as the API server does; each sends `text`. */
function strangers({ port }: Asked, { count, text }: {
  count: number;
  text: string;
}) {
  const sockets = Array.from({ length: count }, () => {
    const socket = connectTls({
      ...{ host: "127.0.0.1", port, localAddress: "127.0.0.2" },
      ...{ servername: name, ca: authority.cert },
    });
    socket.on("error", () => {});
    socket.on("data", () => {});
    if (text !== "") socket.once("secureConnect", () => socket.write(text));
    return socket;
  });
  const over = Promise.all(
    sockets.map((socket) => new Promise((done) => socket.once("close", done))),
  );
  return {
    over,
    get standing() {
      return sockets.filter(({ destroyed }) => !destroyed).length;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await over;
    },
  };
}

function requestOf(body: string): string {
  return `POST /pods HTTP/1.1\r\nHost: localhost\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${body}`;
}

const slow = {
  "nothing": "",
  "half a head": "POST /pods HTTP/1.1\r\nHost: localhost\r\n",
  "half a question": requestOf("{ ").slice(0, -1),
};
for (const [what, text] of Object.entries(slow)) {
  Deno.test(`Webhook answers the API server while somebody else sends ${what} on as many connections as it gets, and ends those`, async () => {
    await using one = await open({ askingMs: 3_000 });
    await using held = strangers(one, { count: 300, text });
    await until(() => held.standing <= 256);
    assert.ok(held.standing > 128, String(held.standing));
    const { patch } = await soon("an answer", one.answer(question()));
    assert.notEqual(patch, undefined);
    await soon("the connections' end", held.over, 15_000);
  });
}

Deno.test("Webhook answers the API server while another's questions take all that those may", async () => {
  const stuck = Promise.withResolvers<undefined>();
  let asked = 0;
  await using one = await open({
    agentOf: ({ metadata }) => {
      if (metadata.name !== "stuck") return Promise.resolve(agent);
      asked++;
      return stuck.promise;
    },
  });
  const text = requestOf(
    JSON.stringify(question({ ...pod, metadata: { name: "stuck" } })),
  );
  await using _held = strangers(one, { count: 200, text });
  using _ = { [Symbol.dispose]: () => stuck.resolve(undefined) };
  await until(() => asked >= 64);
  // The others are there, too: more would show in this time.
  await new Promise((done) => setTimeout(done, 500));
  assert.equal(asked, 64);
  const { patch } = await soon("an answer", one.answer(question()));
  assert.notEqual(patch, undefined);
});

Deno.test("Webhook tells of who asks much a hundred times, then once a second", async () => {
  const lines: string[] = [];
  setLogSink((line) => lines.push(JSON.parse(line).message));
  const clock = new FakeClock();
  await using one = await open({ clock });
  lines.length = 0;
  for (let i = 0; i < 70; i++) {
    assert.equal((await one.answer(question())).allowed, true);
    assert.equal(await status(one.ask("{}")), 400);
  }
  assert.equal(lines.length, 100);
  clock.advance(1_000);
  for (let i = 0; i < 10; i++) await one.answer(question());
  assert.deepEqual(lines.slice(100), ["agent given"]);
});

Deno.test("Webhook reads 32 MB of an address, then 4 MB each second", async () => {
  const clock = new FakeClock();
  await using one = await open({ clock });
  const large = " ".repeat(4_000_000);
  for (let i = 0; i < 8; i++) {
    assert.equal(await status(one.ask(large)), 400, String(i));
  }
  // Who is not read to the end may see the connection break before the answer.
  const refused = () => status(one.ask(large)).catch(() => 503);
  assert.equal(await refused(), 503);
  clock.advance(1_000);
  assert.equal((await one.answer(question())).allowed, true);
  assert.equal(await status(one.ask(large)), 400);
  assert.equal(await refused(), 503);
});
