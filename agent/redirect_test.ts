import assert from "node:assert/strict";
import { redirectScript } from "./redirect.ts";

Deno.test("redirectScript() makes one table of the ports that are to be redirected", () => {
  const script = redirectScript([
    { port: 8080, protocol: "TCP", agentPort: 9900, redirect: false },
    {
      ...{ port: 80, protocol: "TCP", agentPort: 9901, redirect: true },
      probePort: 9902,
    },
    { port: 53, protocol: "UDP", agentPort: 9903, redirect: true },
  ]);
  assert.equal(
    script,
    `add table inet tp
delete table inet tp
table inet tp {
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    iifname "lo" return
    tcp dport 80 redirect to :9901
    tcp dport 9902 redirect to :80
    udp dport 53 redirect to :9903
  }
}
`,
  );
});
