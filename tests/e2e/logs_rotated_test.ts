/** Logs that reach their size while their processes write are turned, in the files that these have open. */
import assert from "node:assert/strict";
import { Laptop, must, openCluster, say } from "../cluster/mod.ts";
import { Tp } from "../support/laptop_tp.ts";
import { ownProcesses } from "../support/own_processes.ts";

const cache = "/root/.cache/tp";
const connectorLog = { path: `${cache}/connector.log`, maxBytes: 8 << 20 };
const commandLog = { path: `${cache}/command.log`, maxBytes: 8 << 20 };
const daemonLog = { path: "/var/lib/tp/daemon.log", maxBytes: 1 << 20 };
const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(2);

type Log = typeof connectorLog;

Deno.test("logs of connector, daemon and commands are turned while they are written: three of each, bounded, private", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const sh = (script: string) => must(laptop.command(["sh", "-euc", script]));

  /** As days of use leave a log: two that are full, and one that nearly is. */
  const fill = ({ path, maxBytes }: Log) =>
    sh(`umask 077; mkdir -p $(dirname ${path})
echo oldest >${path}.2; echo former >${path}.1
yes '{"of":"earlier"}' | head -c ${maxBytes - 20} >${path}; echo >>${path}`);

  /** How it is when the next line has come: the former line-up moved on by one. */
  const assertTurned = async ({ path, maxBytes }: Log, line: RegExp) => {
    const found = await sh(
      `stat -c '%a %s' ${path} ${path}.1 ${path}.2; ls ${path}*`,
    );
    const [now, first, second, ...names] = found.trim().split("\n");
    const sizes = [now, first, second].map((one) => {
      const [mode, size] = one!.split(" ");
      assert.equal(mode, "600", found);
      assert.ok(Number(size) <= maxBytes, found);
      return Number(size);
    });
    say(`${path}: ${sizes.map(mebibytes).join(", ")} MiB`);
    assert.deepEqual(names, [path, `${path}.1`, `${path}.2`]);
    assert.ok(sizes[0]! < maxBytes / 2 && sizes[1]! > maxBytes / 2, found);
    assert.match(await sh(`head -n 1 ${path}.1`), /"earlier"/);
    assert.equal(await sh(`cat ${path}.2`), "former\n");
    assert.match(await sh(`cat ${path}`), line);
  };

  await sh("umask 077; mkdir -p /var/lib/tp");
  for (const log of [connectorLog, daemonLog, commandLog]) await fill(log);
  {
    await using _ = await tp.connected([], { apartFrom: ["/var"] });
    const { connector } = await ownProcesses(laptop);
    const open = () =>
      sh(`stat -Lc %i /proc/${connector}/fd/2 ${connectorLog.path}`);
    const [held, named] = (await open()).trim().split("\n");
    assert.equal(held, named);
    await assertTurned(daemonLog, /"message":"listening"/);

    /** Is told in the connector's log. */
    const intercept = () => tp.fails(["intercept", "nobody", "--port", "1"]);
    await intercept();
    await assertTurned(connectorLog, /"message":"not intercepted"/);
    const size = async () => (await sh(`cat ${connectorLog.path}`)).length;
    const turned = await size();
    await intercept();
    assert.ok(await size() > turned);
    assert.equal((await open()).trim(), `${held}\n${held}`);

    // What a command logs that does a connector's work, and is not let in.
    await tp.ok(["run", "--", "true"]);
    await assertTurned(commandLog, /"room"/);
  }
});
