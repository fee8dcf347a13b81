import assert from "node:assert/strict";
import { listens, nssSources, ownNameservers } from "./host_facts_linux.ts";

Deno.test("nssSources() reads the line of hosts without what is done after each", () => {
  const text = "passwd: files\n" +
    "hosts:  mymachines resolve [!UNAVAIL=return] files dns # as shipped\n";
  assert.deepEqual(nssSources(text), ["mymachines", "resolve", "files", "dns"]);
  assert.deepEqual(nssSources("# hosts: resolve\n"), []);
});

Deno.test("ownNameservers() has those behind systemd-resolved's stub in its place, and never ours", async () => {
  const own = async (...nameservers: string[]) => {
    const text = nameservers.map((ip) => `nameserver ${ip}\n`).join("");
    const found = await ownNameservers(
      text,
      (ip) => String(ip) === "198.18.0.3",
      () => Promise.resolve("nameserver 192.0.2.53\nnameserver 198.18.0.3\n"),
    );
    return found.map(String);
  };
  assert.deepEqual(await own("127.0.0.53"), ["192.0.2.53"]);
  assert.deepEqual(await own("198.18.0.3", "192.0.2.9"), ["192.0.2.9"]);
  assert.deepEqual(await own("127.0.0.1"), ["127.0.0.1"]);
});

Deno.test("listens() tells a socket that is listened on from one that is not", () => {
  const path = "/run/systemd/resolve/io.systemd.Resolve";
  const line = (flags: string, name: string) =>
    `00000000828fee5c: 00000002 00000000 ${flags} 0001 01 11914149 ${name}\n`;
  assert.equal(listens(line("00010000", path), path), true);
  assert.equal(listens(line("00000000", path), path), false);
  assert.equal(listens(line("00010000", `${path}.Monitor`), path), false);
});
