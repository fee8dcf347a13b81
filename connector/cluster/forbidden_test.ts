import assert from "node:assert/strict";
import { FakeCluster, refusal } from "../intercepts/cluster_fake.ts";
import { readNamespace } from "../intercepts/workload_list.ts";
import { ConnectError } from "../failure.ts";
import { uninstallFrom } from "./uninstall.ts";

const { signal } = new AbortController();

/** Where nothing of what `plurals` names may be listed. */
function forbidding(...plurals: string[]) {
  const { api } = new FakeCluster();
  return {
    ...api,
    list: (resource: Parameters<typeof api.list>[0]) => {
      const { plural } = resource;
      if (!plurals.includes(plural)) return api.list(resource);
      return Promise.reject(refusal(403, "Forbidden", { plural }));
    },
  } as typeof api;
}

async function told(asked: Promise<unknown>) {
  const error = await asked.then(() => undefined, (error) => error);
  assert.ok(error instanceof ConnectError, String(error));
  const { cause, adminCommands } = error.failure;
  return [cause, ...adminCommands ?? []];
}

Deno.test("uninstallFrom() tells who may not what an admin would run", async () => {
  const common = {
    ...{ managerNamespace: "here", everything: false, signal },
    tell: () => {},
  };
  const api = forbidding("agents", "mutatingwebhookconfigurations");
  const lacks = 'user "anna" lacks rights in the cluster';
  const command = (kind: string, where = "") =>
    `kubectl create ${kind} tp-admin-anna ${where}` +
    "--clusterrole tp-admin --user anna";
  const one = { ...common, namespace: "shop", workloads: ["web"] };
  assert.deepEqual(await told(uninstallFrom(api, one)), [
    `Cannot uninstall in namespace "shop": ${lacks}`,
    command("rolebinding", "--namespace shop "),
  ]);
  assert.deepEqual(await told(uninstallFrom(api, common)), [
    `Cannot uninstall: ${lacks}`,
    command("clusterrolebinding"),
  ]);
  const all = { ...common, everything: true };
  assert.deepEqual(await told(uninstallFrom(api, all)), [
    `Cannot uninstall: ${lacks}`,
    "tp uninstall --everything --manager-namespace here",
  ]);
});

Deno.test("readNamespace() tells who may not list it that, and the role that lets", async () => {
  const api = forbidding("deployments", "statefulsets");
  const [cause, command] = await told(
    readNamespace(api, { namespace: "shop", signal }),
  );
  assert.match(cause!, /^Cannot list workloads in namespace "shop": /);
  assert.match(command!, /--clusterrole tp-intercept/);
});
