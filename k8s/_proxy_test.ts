import assert from "node:assert/strict";
import { parseProxy, proxyFromEnv } from "./_proxy.ts";

const proxy = "http://proxy.test:3128";
const table: { server: string; noProxy: string; proxied: boolean }[] = [
  { server: "https://api.test:6443", noProxy: "", proxied: true },
  { server: "https://localhost:6443", noProxy: "", proxied: false },
  { server: "https://127.0.0.1:6443", noProxy: "", proxied: false },
  { server: "https://[::1]:6443", noProxy: "", proxied: false },
  { server: "https://api.test", noProxy: "*", proxied: false },
  { server: "https://api.test", noProxy: "test", proxied: false },
  { server: "https://api.test", noProxy: "other, api.test", proxied: false },
  { server: "https://a.api.test", noProxy: "api.test", proxied: false },
  { server: "https://a.api.test", noProxy: ".api.test", proxied: false },
  { server: "https://api.test", noProxy: ".api.test", proxied: true },
  { server: "https://api.test", noProxy: "*.test", proxied: false },
  { server: "https://xapi.test", noProxy: "api.test", proxied: true },
  { server: "https://api.test:6443", noProxy: "api.test:443", proxied: true },
  { server: "https://api.test:6443", noProxy: "api.test:6443", proxied: false },
  { server: "https://10.1.2.3", noProxy: "10.0.0.0/8", proxied: false },
  { server: "https://10.1.2.3", noProxy: "10.1.2.3", proxied: false },
  { server: "https://10.1.2.3", noProxy: "10.1.2.4,1/x", proxied: true },
  { server: "https://[fd00::1]", noProxy: "[fd00::1]:443", proxied: false },
];

Deno.test("proxyFromEnv() follows the rules of NO_PROXY", () => {
  for (const { server, noProxy, proxied } of table) {
    const env = { HTTPS_PROXY: proxy, NO_PROXY: noProxy };
    const found = proxyFromEnv(new URL(server), env);
    assert.equal(found !== undefined, proxied, `${server} but for ${noProxy}`);
  }
});

Deno.test("proxyFromEnv() reads the variable of the server's scheme, in either case", () => {
  const env = { "https_proxy": proxy, HTTP_PROXY: "other.test:1" };
  assert.equal(proxyFromEnv(new URL("https://a.test"), env)?.port, "3128");
  assert.equal(
    proxyFromEnv(new URL("http://a.test"), env)?.href,
    "http://other.test:1/",
  );
});

Deno.test("parseProxy() refuses schemes that it cannot speak", () => {
  assert.throws(() => parseProxy("ftp://x"), SyntaxError);
  assert.throws(() => parseProxy("http://"), SyntaxError);
  assert.equal(parseProxy("socks5://u:p@h:1").protocol, "socks5:");
});
