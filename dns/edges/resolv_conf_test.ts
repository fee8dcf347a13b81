import assert from "node:assert/strict";
import { Ip } from "../../net/mod.ts";
import { composeResolvConf } from "./_resolv_conf_text.ts";
import { parseResolvConf } from "./resolv_conf.ts";

const parsed = (text: string) => {
  const { nameservers, search, options } = parseResolvConf(text);
  return { nameservers: nameservers.map(String), search, options };
};

Deno.test("parseResolvConf() reads nameservers, search list and options", () => {
  assert.deepEqual(
    parsed(
      "# made by hand\nnameserver 192.0.2.1\nnameserver\t2001:db8::1  \nsearch corp.example  lab.example\noptions ndots:2 edns0\noptions rotate\n",
    ),
    {
      nameservers: ["192.0.2.1", "2001:db8::1"],
      search: ["corp.example", "lab.example"],
      options: ["ndots:2", "edns0", "rotate"],
    },
  );
});

Deno.test("parseResolvConf() passes over comments, indented lines and what it does not know", () => {
  assert.deepEqual(
    parsed(
      "; old\n nameserver 192.0.2.9\nnameserver 192.0.2.1 # main\nnameserver 192.0.2.2; other\nsortlist 1.2.3.4\nnameserver\nnameserver none\r\n",
    ),
    { nameservers: ["192.0.2.1", "192.0.2.2"], search: [], options: [] },
  );
});

Deno.test("parseResolvConf() takes the last of several search and domain lines", () => {
  assert.deepEqual(parsed("search a b\nsearch c\n").search, ["c"]);
  assert.deepEqual(parsed("search a b\ndomain d e\n").search, ["d"]);
  assert.deepEqual(parsed("domain d\nsearch a b\n").search, ["a", "b"]);
});

Deno.test("parseResolvConf() takes three nameservers, of a link-local one its zone", () => {
  assert.deepEqual(
    parsed(
      "nameserver 192.0.2.0%eth0\nnameserver fe80::1%eth0\nnameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n",
    ).nameservers,
    ["fe80::1%eth0", "192.0.2.1", "192.0.2.2"],
  );
});

Deno.test("parseResolvConf() finds three nameservers of the host behind ours", () => {
  const host = "nameserver 192.0.2.1\nnameserver 192.0.2.2\n" +
    "nameserver 192.0.2.3\nnameserver 192.0.2.4\n";
  assert.deepEqual(
    parsed(composeResolvConf(host, Ip.parse("198.18.0.3"))).nameservers,
    ["198.18.0.3", "192.0.2.1", "192.0.2.2", "192.0.2.3"],
  );
});

Deno.test("parseResolvConf() keeps every line", () => {
  const text = "# a\r\n\nnameserver 192.0.2.1\n";
  assert.equal(parseResolvConf(text).lines.join("\n"), text);
});
