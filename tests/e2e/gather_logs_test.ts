/** `tp gather-logs`: whose logs, and whose names are not among them. */
import assert from "node:assert/strict";
import { unzipSync } from "fflate";
import { Laptop, openCluster, say } from "../cluster/mod.ts";
import { Tp } from "../support/laptop_tp.ts";
import { assertSameState } from "../support/same_state.ts";

const zip = "/root/logs.zip";

Deno.test("tp gather-logs writes one file of all logs, readable by its user alone", async (t) => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();

  const gathered = async (...args: string[]) => {
    await laptop.run(["rm", "-f", zip]);
    const { code, stdout, stderr } = await tp.run(
      ["gather-logs", "--output-file", zip, ...args],
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Logs have been exported to \/root\/logs\.zip/);
    const mode = await laptop.run(["stat", "-c", "%a", zip]);
    assert.equal(mode.stdout.trim(), "600");
    const { stdout: text } = await laptop.run(["base64", zip]);
    const found = unzipSync(Uint8Array.fromBase64(text));
    const files = new Map(
      Object.entries(found).map(([name, bytes]) => [
        name,
        new TextDecoder().decode(bytes),
      ]),
    );
    say([...files].map(([name, { length }]) => `${name} ${length}`).join(", "));
    return { files, stderr };
  };

  {
    await using _ = await tp.connected();

    await t.step("connected: everybody's", async () => {
      const { files, stderr } = await gathered("--get-pod-yaml");
      assert.equal(stderr, "");
      assert.match(files.get("connector.log")!, /"room":"connector"/);
      assert.match(files.get("daemon.log")!, /"message":"listening"/);
      assert.match(files.get("traffic-manager-0.ambassador.log")!, /"room"/);
      assert.match(files.get("status.json")!, /"Connected"/);
      const yaml = files.get("traffic-manager-0.ambassador.yaml")!;
      assert.match(yaml, /kind: Pod/);
      const values = yaml.match(/ +- name: TP_.*\n +value: .*$/gm) ?? [];
      assert.ok(values.length > 0, yaml);
      assert.deepEqual(values.filter((one) => !one.includes("REDACTED")), []);
    });

    await t.step("tp loglevel: connector and manager log more", async () => {
      const told = await tp.ok(["loglevel", "debug", "--duration", "1m"]);
      say(told.trim());
      assert.match(told, /^connector: debug for 60 s$/m);
      assert.match(told, /^manager \(traffic-manager-0\): debug for 60 s$/m);
      const { files } = await gathered("--traffic-agents", "none");
      const manager = files.get("traffic-manager-0.ambassador.log")!;
      assert.match(manager, /"message":"log level","wished":"debug"/);
      const quieter = await tp.fails(["loglevel", "error", "--remote-only"]);
      assert.match(quieter, /no quieter than info/);
      await tp.ok(["loglevel", "info", "--local-only", "--duration", "0"]);
    });

    await t.step("anonymous: no name of the cluster's", async () => {
      const { files } = await gathered("--anonymize", "--get-pod-yaml");
      assert.ok(files.has("pod-1.namespace-1.log"), [...files.keys()].join());
      for (const [name, text] of files) {
        assert.doesNotMatch(name, /ambassador|traffic-manager-0/);
        assert.doesNotMatch(text, /traffic-manager-0|\bambassador\b/, name);
      }
    });
  }

  await t.step(
    "a cluster that cannot be asked: the laptop's, and why",
    async () => {
      const { files, stderr } = await gathered(
        ...["--context", "nowhere", "--daemons", "user"],
      );
      assert.match(stderr, /Not gathered: the cluster: .*nowhere/);
      assert.match(files.get("problems.txt")!, /nowhere/);
      assert.ok(files.has("connector.log"));
      assert.equal(files.has("daemon.log"), false);
    },
  );

  await laptop.run(["rm", "-f", zip]);
  assertSameState(await laptop.snapshot(), before);
});
