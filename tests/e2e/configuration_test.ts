/** What a user has set in config.yml and in the kubeconfig counts, and is told. */
import assert from "node:assert/strict";
import { accounts, Laptop, must, openCluster } from "../cluster/mod.ts";
import {
  adminAccess,
  writeAccess,
  writeLaptopFile,
} from "../support/kubeconfig_file.ts";
import { Tp } from "../support/laptop_tp.ts";
import { deploySmall } from "../support/small_workloads.ts";

const home = accounts.root.home;
const config = `${home}/.config/tp/config.yml`;

Deno.test("config.yml and a cluster's extension decide on names and ports, for tp connect, tp run and tp intercept", async () => {
  const cluster = await openCluster();
  await using own = await cluster.namespace("config");
  await deploySmall(cluster, own.name, { name: "web" });
  await using laptop = await Laptop.open(cluster);
  await must(laptop.command(["mkdir", "-p", `${home}/.config/tp`]));
  const access = await adminAccess(cluster);
  const KUBECONFIG = await writeAccess(laptop, {
    ...{ ...access, namespace: own.name },
    cluster: {
      ...access.cluster,
      extensions: [
        {
          name: "tp.dev",
          extension: {
            connection: { name: "of-config" },
            dns: { excludes: ["printer"] },
          },
        },
        {
          name: "telepresence.io",
          extension: {
            dns: { "include-suffixes": [".of-peer"], "local-ip": "10.0.0.1" },
          },
        },
      ],
    },
  });
  await writeLaptopFile(
    laptop,
    config,
    `dns:
  excludes: [web]
  mappings:
    - { name: db.test, aliasFor: web.${own.name}.svc }
intercept: { defaultPort: 3210 }
`,
  );
  const tp = new Tp(laptop);
  const options = { env: { KUBECONFIG } };
  const before = await laptop.snapshot();

  const view = await tp.run(["config", "view", "--output=json"], options);
  assert.equal(view.code, 0, view.stderr);
  const { connection, dns, intercept } = JSON.parse(view.stdout);
  const of = (name: string) =>
    `${KUBECONFIG} (cluster "test", extension "${name}")`;
  assert.deepEqual(dns.excludes, {
    ...{ value: ["printer"], origin: "kubeconfig", place: of("tp.dev") },
  });
  assert.deepEqual(connection.name, {
    ...{ value: "of-config", origin: "kubeconfig", place: of("tp.dev") },
  });
  assert.deepEqual(dns.includeSuffixes.place, of("telepresence.io"));
  assert.deepEqual(dns.mappings.place, `${config}:3`);
  assert.deepEqual(intercept.defaultPort, {
    ...{ value: 3210, origin: "file", place: `${config}:5` },
  });
  assert.match(view.stderr, /nothing like dns\.local-ip of /);

  const text = (await tp.run(
    ["config", "view", "--vnat", "10.9.0.0/16"],
    { env: { ...options.env, TP_IMAGE: "registry.test/tp" } },
  )).stdout;
  for (
    const line of [
      `  vnat: ["10.9.0.0/16"] # --vnat`,
      `  managerImage: "registry.test/tp" # $TP_IMAGE`,
      `  excludes: ["printer"] # ${of("tp.dev")}`,
      `  defaultPort: 3210 # ${config}:5`,
      `  lookupTimeout: "10s" # default`,
    ]
  ) assert.ok(text.split("\n").includes(line), `${line}\n${text}`);

  const address = async (name: string, prefix: string[] = []) => {
    const command = [...prefix, "getent", "ahostsv4", name];
    const { stdout } = await laptop.run(command, options);
    return stdout.split(/\s/)[0];
  };
  assert.match(
    await tp.ok(["connect"], options),
    /^Connected as of-config to context test /m,
  );
  const web = await address("web");
  assert.match(web!, /^\d/, "the cluster's `excludes` goes before the file's");
  assert.equal(await address(`web.${own.name}.of-config`), web);
  assert.equal(await address("db.test"), web);
  const { root_daemon: { dns: status } } = JSON.parse(
    await tp.ok(["status", "--output=json"]),
  );
  assert.deepEqual(status.excludes, ["printer"]);
  assert.deepEqual(status.include_suffixes, [".of-peer"]);
  const told = JSON.parse(
    await tp.ok(
      ["intercept", "web", "--mount=false", "--output=json"],
      options,
    ),
  );
  assert.equal(told.target_port, 3210, JSON.stringify(told));
  await tp.ok(["leave", "web"]);
  await tp.ok(["quit"]);
  assert.equal(await laptop.snapshot(), before);

  const inside = await tp.ok(
    ["run", "--", "getent", "ahostsv4", "db.test"],
    options,
  );
  assert.equal(inside.split(/\s/)[0], web);
  assert.equal(await laptop.snapshot(), before);
});

Deno.test("a fault in config.yml is told with its line, and nothing is changed", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await must(laptop.command(["mkdir", "-p", `${home}/.config/tp`]));
  const tp = new Tp(laptop);
  await writeLaptopFile(laptop, config, "dns:\n  includeSufixes: [a]\n");
  const before = await laptop.snapshot();
  for (const args of [["connect"], ["run", "--", "true"], ["config", "view"]]) {
    assert.equal(
      await tp.fails(args),
      `tp: Cannot use "${config}": one thing in it must be put right\n` +
        `    ${config}:2: dns.includeSufixes is no property; did you mean "includeSuffixes"?\n`,
    );
  }
  assert.equal(await laptop.snapshot(), before);
});
