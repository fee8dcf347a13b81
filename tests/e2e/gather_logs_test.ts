/** `tp gather-logs`: whose logs, and whose names are not among them. */
import assert from "node:assert/strict";
import { unzipSync } from "fflate";
import { Laptop, openCluster, say } from "../cluster/mod.ts";
import { agentContainerName } from "../../manager/api.ts";
import { openPlace, port } from "../support/intercept_place.ts";
import { Tp } from "../support/laptop_tp.ts";
import { assertSameState } from "../support/same_state.ts";
import { deploySmall } from "../support/small_workloads.ts";

const zip = "/root/logs.zip";

/** Runs `tp gather-logs ARGS…`; the texts in its zip by their names. */
async function gather(
  { laptop, tp }: { laptop: Laptop; tp: Tp },
  ...args: string[]
) {
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
}

Deno.test("tp gather-logs writes one file of all logs, readable by its user alone", async (t) => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();

  const gathered = (...args: string[]) => gather({ laptop, tp }, ...args);

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
      assert.match(told, /^connector: debug for 1m$/m);
      assert.match(told, /^manager \(traffic-manager-0\): debug for 1m$/m);
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

Deno.test("tp gather-logs has the logs and pods of agents, at the level that was asked for, and nothing secret of them", async () => {
  const place = await openPlace();
  await using _ = place.moved;
  const { cluster, laptop, tp, manager, namespace, watch } = place;
  const secret = `planted-${crypto.randomUUID()}`;
  const env = [{ name: "SOME_SETTING", value: secret }];
  await deploySmall(cluster, namespace, { name: "web", container: { env } });
  await tp.ok(["intercept", "web", ...port]);
  const level = ["loglevel", "debug", "--duration", "1m", "--remote-only"];
  const leveled = (await tp.ok(level)).trim();
  say(leveled);
  assert.equal(
    leveled.split("\n").at(-1),
    `agents of web.${namespace} (1): debug for 1m`,
  );
  const [pod] = await watch.pods("web");
  const { name } = pod!.metadata;
  const token = `eyJhbGciOiJSUzI1NiJ9.${btoa(secret).replaceAll("=", "")}.c2ln`;
  const line = `a line of ours: password=${secret} Bearer ${token}`;
  await watch.kubectl([
    ...["exec", name, "--container", agentContainerName, "--"],
    ...["sh", "-c", `echo "${line}" >/proc/1/fd/2`],
  ]);
  const { files, stderr } = await gather(
    { laptop, tp },
    ...["--get-pod-yaml", "--daemons", "none", "--traffic-agents", "web"],
  );
  assert.equal(stderr, "");
  const log = files.get(`${name}.${namespace}.log`);
  const told = [...files.keys()].join();
  assert.match(log ?? told, /"room":"agent","message":"ready"/);
  assert.match(log!, /"message":"log level","wished":"debug","seconds":60/);
  assert.match(log!, /a line of ours: password=REDACTED Bearer REDACTED/);
  const yaml = files.get(`${name}.${namespace}.yaml`);
  assert.match(yaml ?? told, /name: SOME_SETTING\n +value: REDACTED/);
  assert.match(yaml!, new RegExp(`name: ${agentContainerName}`));
  for (const [name, text] of files) {
    assert.ok(!text.includes(secret) && !text.includes(token), name);
  }

  // The laptop's own, too, and an error that names what nobody knows.
  const unknown = "a-secret-project";
  await tp.fails(["intercept", unknown, "--port", "8080"]);
  const hostname = (await laptop.run(["hostname"])).stdout.trim();
  const names = [name, namespace, hostname, manager.namespace, "web"];
  const whole = [...(await gather({ laptop, tp }, "--get-pod-yaml")).files];
  const hidden = await gather(
    { laptop, tp },
    ...["--get-pod-yaml", "--anonymize"],
  );
  for (const one of [...names, unknown]) {
    const word = new RegExp(`(?<![\\w-])${one}(?![\\w-])`);
    const isIn = (files: Iterable<[string, string]>) =>
      [...files].filter((file) => file.some((text) => word.test(text)))
        .map(([name]) => name);
    say(`${one} is in ${isIn(whole).join(", ") || "nothing"}`);
    assert.deepEqual(isIn(hidden.files), [], one);
  }
});
