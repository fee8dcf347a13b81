/** A kubeconfig that does not lead to a cluster is told before anything is asked of anybody. */
import assert from "node:assert/strict";
import { Laptop, openCluster } from "../cluster/mod.ts";
import { failToConnect, type Told } from "../support/failing.ts";
import {
  adminAccess,
  writeAccess,
  writeLaptopFile,
} from "../support/kubeconfig_file.ts";

/** Nothing was started for it. */
function assertAtOnce({ progress }: Told): void {
  assert.equal(progress, "");
}

Deno.test("a kubeconfig that is not there is told with its path", async () => {
  await using laptop = await Laptop.open(await openCluster());
  const wherever: [string[], Record<string, string>, string][] = [
    [["--kubeconfig", "/root/none"], {}, "/root/none"],
    [[], { KUBECONFIG: "/root/none:/root/neither" }, "/root/neither"],
    [[], { HOME: "/root/empty" }, "/root/empty/.kube/config"],
  ];
  for (const [args, env, path] of wherever) {
    const told = await failToConnect(laptop, args, { env });
    assert.match(told.cause, /^Cannot find a kubeconfig: .* does not exist$/);
    assert.ok(told.cause.includes(`"${path}"`), told.cause);
    assert.match(told.remedy, /KUBECONFIG.*--kubeconfig/);
    assertAtOnce(told);
  }
});

Deno.test("a context that is not in the kubeconfig is told with those that are", async () => {
  await using laptop = await Laptop.open(await openCluster());
  const told = await failToConnect(laptop, ["--context", "elsewhere"]);
  assert.match(
    told.cause,
    /^Cannot use context "elsewhere": the kubeconfig has "\S+"$/,
  );
  assert.match(told.remedy, /get-contexts/);
  assertAtOnce(told);
});

Deno.test("a kubeconfig that is broken is told with what is wrong in it", async () => {
  await using laptop = await Laptop.open(await openCluster());
  const texts: [string, RegExp][] = [
    ["clusters: [", /not YAML: .* at line \d+, column \d+$/],
    ["Hello.", /not a mapping/],
    ["clusters: 5", /clusters is not a list/],
  ];
  for (const [text, state] of texts) {
    const path = await writeLaptopFile(laptop, "/root/broken", text);
    const told = await failToConnect(laptop, ["--kubeconfig", path]);
    assert.match(told.cause, /^Cannot use kubeconfig "\/root\/broken": /);
    assert.match(told.cause, state);
    assert.match(told.remedy, /Correct the file/);
    assertAtOnce(told);
  }
});

Deno.test("credentials that cannot be had are told with where they should come from", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const admin = await adminAccess(cluster);
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    interactiveMode: "Never",
  };
  const users: [Record<string, unknown>, RegExp][] = [
    [{ tokenFile: "/root/no-token" }, /token file "\/root\/no-token"/],
    [
      { exec: { ...exec, command: "cloud-login", installHint: "Get it" } },
      /from "cloud-login": no such program\. Get it$/,
    ],
    [
      {
        exec: { ...exec, command: "sh", args: ["-c", "echo Late >&2; exit 3"] },
      },
      /from "sh": exit code 3: Late$/,
    ],
  ];
  for (const [user, state] of users) {
    const path = await writeAccess(laptop, { ...admin, user });
    const told = await failToConnect(laptop, ["--kubeconfig", path]);
    assert.match(told.cause, state);
    assert.match(told.remedy, /Log in to the cluster again/);
    assertAtOnce(told);
  }
});
