import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import { accessTo } from "./_access_fake.ts";
import { FakeApiServer, pem } from "./_api_server_fake.ts";
import { FakeProxy } from "./_proxy_fake.ts";
import type { ClusterAccess } from "./access.ts";
import { openApi } from "./api_client.ts";
import { ApiUnreachableError } from "./unreachable.ts";

const authority = pem("ca.pem");
const trusting = { authority, insecure: false };

async function ask(access: ClusterAccess): Promise<void> {
  await using api = openApi(access);
  await api.version();
}

function start(name?: string): FakeApiServer {
  return FakeApiServer.start(() => ({ body: {} }), { name });
}

/** What an access must meet at a server with the certificate `name`. */
const certificates: {
  title: string;
  name?: string;
  trust: ClusterAccess["trust"];
  kind?: "certificate-time";
  detail?: string;
}[] = [
  {
    title: "signed by the authority that the kubeconfig names",
    trust: trusting,
  },
  {
    title: "signed by nobody that is trusted",
    trust: { insecure: false },
    detail:
      "its certificate is not signed by the authority that the kubeconfig names",
  },
  {
    title: "signed by another authority",
    trust: { authority: pem("client.pem"), insecure: false },
    detail:
      "its certificate is not signed by the authority that the kubeconfig names",
  },
  {
    title: "that has expired",
    name: "expired",
    trust: trusting,
    kind: "certificate-time",
    detail: "by this laptop's clock its certificate has expired",
  },
  {
    title: "for another name",
    name: "elsewhere",
    trust: trusting,
    detail: "its certificate is for another name",
  },
  {
    title: "for the tls-server-name",
    name: "elsewhere",
    trust: { ...trusting, serverName: "api.elsewhere.test" },
  },
  {
    title: "not for the tls-server-name",
    trust: { ...trusting, serverName: "api.elsewhere.test" },
    detail: "its certificate is for another name",
  },
  {
    title: "of any kind with insecure-skip-tls-verify",
    name: "elsewhere",
    trust: { insecure: true },
  },
];

for (const { title, name, trust, kind, detail } of certificates) {
  const does = detail === undefined ? "takes" : "refuses";
  Deno.test(`a request ${does} a certificate ${title}`, async () => {
    await using server = start(name);
    const asking = ask(accessTo(server.url, { trust }));
    if (detail === undefined) return await asking;
    await assert.rejects(asking, (error) => {
      assert.ok(error instanceof ApiUnreachableError);
      assert.equal(error.kind, kind ?? "certificate");
      assert.equal(
        error.message,
        `Cannot reach API server "${server.url.origin}": ${detail}`,
      );
      return true;
    });
    assert.deepEqual(server.asked, []);
  });
}

Deno.test("a request goes to a server without TLS when its address says so", async () => {
  await using server = start("");
  await ask(accessTo(new URL(`http://127.0.0.1:${server.port}`)));
});

Deno.test("a request tells a refused connection, an unknown name and a server without TLS apart", async () => {
  // Held at one address, so that nobody can come to listen on it at the other.
  using held = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using plain = start("");
  const cases = [
    { url: `https://127.0.0.2:${held.addr.port}`, kind: "refused" },
    { url: "https://nowhere.invalid", kind: "dns" },
    { url: `https://127.0.0.1:${plain.port}`, kind: "protocol" },
  ];
  for (const { url, kind } of cases) {
    for (const trust of [trusting, { insecure: true }]) {
      await assert.rejects(
        ask(accessTo(new URL(url), { trust })),
        (error) => error instanceof ApiUnreachableError && error.kind === kind,
        `${url} must be ${kind}`,
      );
    }
  }
});

Deno.test("a request gives up a server that does not shake hands", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const clock = new FakeClock();
  for (const insecure of [false, true]) {
    const trust = insecure ? { insecure } : trusting;
    const access = accessTo(new URL(`https://127.0.0.1:${port}`), { trust });
    await using api = openApi(access, { clock });
    const asking = api.version();
    using _conn = await listener.accept();
    clock.advance(10_000);
    await assert.rejects(
      asking,
      (error) =>
        error instanceof ApiUnreachableError && error.kind === "timeout",
    );
  }
});

const proxies = [
  { scheme: "http", login: "", asked: "" },
  { scheme: "http", login: "me:p%40ss@", asked: "me:p@ss@" },
  { scheme: "socks5", login: "", asked: "" },
  { scheme: "socks5", login: "me:p%40ss@", asked: "me:p@ss@" },
];

for (const { scheme, login, asked } of proxies) {
  const how = `${scheme}${login && " with user and password"}`;
  Deno.test(`a request goes through a proxy: ${how}`, async () => {
    await using server = start();
    await using proxy = FakeProxy.start();
    const url = new URL(`${scheme}://${login}${proxy.host}`);
    await ask(accessTo(server.url, { proxy: url }));
    assert.deepEqual(proxy.asked, [`${asked}${server.url.host}`]);
  });
}

Deno.test("a request goes through a proxy that speaks TLS itself, to a server that wants the system's trust", async () => {
  await using server = start();
  await using proxy = FakeProxy.start({ name: "server" });
  const url = new URL(`https://${proxy.host}`);
  const before = Deno.env.get("SSL_CERT_FILE");
  const path = new URL("testdata/ca.pem", import.meta.url).pathname;
  Deno.env.set("SSL_CERT_FILE", path);
  try {
    await ask(accessTo(server.url, { proxy: url, trust: { insecure: false } }));
  } finally {
    if (before === undefined) Deno.env.delete("SSL_CERT_FILE");
    else Deno.env.set("SSL_CERT_FILE", before);
  }
  assert.deepEqual(proxy.asked, [server.url.host]);
});

Deno.test("a request tells why a proxy lets nothing through", async () => {
  await using server = start();
  await using http = FakeProxy.start({ answer: "407 Proxy Authentication" });
  await using socks = FakeProxy.start({ answer: "5" });
  using held = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const absent = `127.0.0.2:${held.addr.port}`;
  const cases = [
    {
      url: `http://${http.host}`,
      detail:
        `proxy "${http.host}" lets nothing through: it answers with HTTP status 407`,
    },
    {
      url: `socks5://${socks.host}`,
      detail:
        `proxy "${socks.host}" lets nothing through: the connection was refused`,
    },
    {
      url: `http://${absent}`,
      detail: `proxy "${absent}": connection refused`,
    },
  ];
  for (const { url, detail } of cases) {
    const asking = ask(accessTo(server.url, { proxy: new URL(url) }));
    await assert.rejects(asking, (error) => {
      assert.ok(error instanceof ApiUnreachableError);
      assert.equal(error.kind, "proxy");
      assert.ok(error.message.endsWith(`: ${detail}`), error.message);
      return true;
    });
  }
});
