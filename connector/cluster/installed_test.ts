import assert from "node:assert/strict";
import { type ApiClient, ApiError, type Ref } from "../../k8s/mod.ts";
import {
  managerManifests,
  type ManifestOptions,
} from "../../manager/client.ts";
import { choicesOf } from "./installed.ts";

const options = { namespace: "ambassador", image: "tp:1", version: "1.2.3" };
const wishes = {
  managerNamespace: options.namespace,
  signal: new AbortController().signal,
};

/** Where a manager was installed with `chosen`, or none. */
function cluster(chosen?: Partial<ManifestOptions>): ApiClient {
  const objects = chosen ? managerManifests({ ...options, ...chosen }) : [];
  const find = ({ kind }: { kind: string }, { name }: Ref) =>
    Promise.resolve(
      objects.find((one) => one.kind === kind && one.metadata.name === name),
    );
  return { find } as unknown as ApiClient;
}

Deno.test("choicesOf() are those of the installed manager where nothing else is wished", async () => {
  const chosen = {
    replicas: 2,
    allowGlobal: false,
    excludeEnv: ["*_PASSWORD", "TOKEN"],
  };
  assert.deepEqual(await choicesOf(cluster(chosen), wishes), chosen);
  const others = { replicas: 1, allowGlobal: true, excludeEnv: ["KEY"] };
  const wished = { ...wishes, ...others };
  assert.deepEqual(await choicesOf(cluster(chosen), wished), others);
});

Deno.test("choicesOf() withhold nothing for who says so, and of a manager that does not", async () => {
  const withholding = cluster({ excludeEnv: ["KEY"] });
  const none = { ...wishes, excludeEnv: [] };
  assert.deepEqual((await choicesOf(withholding, none)).excludeEnv, []);
  assert.deepEqual((await choicesOf(cluster({}), wishes)).excludeEnv, []);
  assert.deepEqual(await choicesOf(cluster(), wishes), {
    replicas: 1,
    allowGlobal: undefined,
    excludeEnv: undefined,
  });
});

Deno.test("choicesOf() are not guessed: who may not see what is withheld has to say it", async () => {
  const forbidden = {
    find: () =>
      Promise.reject(
        new ApiError(
          { verb: "get", resource: "statefulsets" },
          { status: 403, reason: "Forbidden", detail: "no" },
        ),
      ),
  } as unknown as ApiClient;
  await assert.rejects(choicesOf(forbidden, wishes), (error: Error) => {
    assert.match(
      error.message,
      /: you may not see what it is told to withhold/,
    );
    return true;
  });
  const told = { ...wishes, excludeEnv: ["KEY"] };
  assert.deepEqual(await choicesOf(forbidden, told), {
    replicas: 1,
    allowGlobal: undefined,
    excludeEnv: ["KEY"],
  });
});
