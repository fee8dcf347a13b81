import assert from "node:assert/strict";
import { formatKubeconfig } from "./kubeconfig.ts";

const content = {
  user: "jane",
  server: "https://10.99.0.2:6443",
  authority: "authority",
};

Deno.test("formatKubeconfig() embeds a client certificate and its key", () => {
  const text = formatKubeconfig({
    ...content,
    credentials: { certificate: "certificate", key: "key" },
  });
  const [entry] = JSON.parse(text).users;
  assert.equal(entry.name, "jane");
  assert.equal(atob(entry.user["client-certificate-data"]), "certificate");
  assert.equal(atob(entry.user["client-key-data"]), "key");
});

Deno.test("formatKubeconfig() has one context, called default, that is current", () => {
  const text = formatKubeconfig({ ...content, credentials: { token: "t" } });
  const parsed = JSON.parse(text);
  assert.equal(parsed["current-context"], "default");
  assert.deepEqual(parsed.contexts, [{
    name: "default",
    context: { cluster: "tp-bed", user: "jane" },
  }]);
  assert.deepEqual(parsed.users[0].user, { token: "t" });
});
