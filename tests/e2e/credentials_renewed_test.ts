/** Credentials that change while connected: a new carrier comes with those of the time, and no stream notices. */
import assert from "node:assert/strict";
import {
  type Cluster,
  Laptop,
  makeUser,
  must,
  openCluster,
  sleep,
  waitFor,
} from "../cluster/mod.ts";
import { resetConnections } from "../support/carriers.ts";
import { DatabaseSession } from "../support/database_session.ts";
import {
  type Access,
  parseAccess,
  writeAccess,
  writeLaptopFile,
} from "../support/kubeconfig_file.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerState } from "../support/manager_pods.ts";
import { type ManagerPlace, managerPlace } from "../support/manager_place.ts";

const apiVersion = "client.authentication.k8s.io/v1";
const folder = "/root/credentials";

interface Scene {
  cluster: Cluster;
  laptop: Laptop;
  place: ManagerPlace;
}

/** Breaks all carriers off; a database session that was open before goes on over others. */
async function loseCarriers(
  { cluster, laptop }: Scene,
  database: DatabaseSession,
): Promise<void> {
  const tp = new Tp(laptop);
  const { session: before } = await managerState(tp);
  await resetConnections(laptop, cluster);
  await waitFor("stream on another carrier", async () => {
    const { session } = await managerState(tp);
    assert.equal(session.former_sessions, before.former_sessions);
    const isMoved = session.moved_carriers > before.moved_carriers &&
      session.state === "connected";
    return isMoved || JSON.stringify(session);
  }, { everyMs: 50, timeoutMs: 20_000 });
  assert.equal(await database.ask("select 6 * 7"), "42");
}

/** A service account that may connect, and a token of it that is good as long as a Secret is there. */
async function makeAccount({ cluster, place }: Scene): Promise<{
  access: Access;
  token(secret: string): Promise<string>;
  revoke(secret: string, token: string): Promise<void>;
}> {
  const { namespace } = place;
  const kubectl = async (...args: string[]) => {
    const { code, stdout, stderr } = await cluster.kubectl(
      [...args, "--namespace", namespace],
    );
    assert.equal(code, 0, stderr);
    return stdout.trim();
  };
  await kubectl("create", "serviceaccount", "laptop");
  await place.grant(`--serviceaccount=${namespace}:laptop`);
  const account = { serviceAccount: "laptop", namespace };
  const access = await parseAccess(cluster, await makeUser(cluster, account));
  const server = access.cluster.server as string;
  return {
    access,
    async token(secret) {
      await kubectl("create", "secret", "generic", secret);
      return await kubectl(
        ...["create", "token", "laptop", "--bound-object-kind=Secret"],
        `--bound-object-name=${secret}`,
      );
    },
    async revoke(secret, token) {
      await kubectl("delete", "secret", secret);
      await waitFor(`end of token "${secret}"`, async () => {
        const status = await must([
          ...["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}"],
          ...["-H", `Authorization: Bearer ${token}`, `${server}/api`],
        ]);
        return status === "401" || `status ${status}`;
      });
    },
  };
}

const cases: Record<string, (scene: Scene) => Promise<void>> = {
  "a plugin's token that the API server takes no more, and one that has expired":
    async (scene) => {
      const { laptop } = scene;
      const account = await makeAccount(scene);
      const first = await account.token("first");
      const second = await account.token("second");
      const answer = (status: Record<string, string>) =>
        writeLaptopFile(
          laptop,
          `${folder}/answer`,
          JSON.stringify({ apiVersion, kind: "ExecCredential", status }),
        );
      const runs = async () => {
        const text = await must(laptop.command(["cat", `${folder}/runs`]));
        return text.length;
      };
      const command = await writeLaptopFile(
        laptop,
        `${folder}/plugin`,
        `#!/bin/sh\nprintf . >>${folder}/runs\ncat ${folder}/answer\n`,
        { mode: "700" },
      );
      await answer({ token: first });
      const exec = { apiVersion, command, interactiveMode: "Never" };
      const path = await writeAccess(laptop, {
        ...account.access,
        user: { exec },
      });
      await using _ = await connected(scene, path);
      await using database = await DatabaseSession.open(laptop);
      await loseCarriers(scene, database);
      assert.equal(await runs(), 1);

      await account.revoke("first", first);
      const expirationTimestamp = new Date().toISOString();
      await answer({ token: second, expirationTimestamp });
      await loseCarriers(scene, database);
      const asked = await runs();
      assert.ok(asked >= 2, `${asked} runs`);

      // It is used for so long at least, whatever the laptop's clock says.
      await sleep(10_000);
      await loseCarriers(scene, database);
      assert.ok(await runs() > asked);
    },
  "a token in a kubeconfig that was written anew": async (scene) => {
    const { laptop } = scene;
    const account = await makeAccount(scene);
    const first = await account.token("first");
    const second = await account.token("second");
    const write = (token: string) =>
      writeAccess(laptop, { ...account.access, user: { token } });
    await using _ = await connected(scene, await write(first));
    await using database = await DatabaseSession.open(laptop);
    await write(second);
    await account.revoke("first", first);
    await loseCarriers(scene, database);
  },
  "a client certificate whose files were written anew": async (scene) => {
    const { cluster, laptop, place } = scene;
    const person = async () => {
      const name = `person-${crypto.randomUUID().slice(0, 8)}`;
      const granted = await place.grant(`--user=${name}`);
      const text = await makeUser(cluster, { name });
      const access = await parseAccess(cluster, text);
      return { granted, access };
    };
    const write = async ({ user }: Access) => {
      for (const [file, field] of [["cert", "certificate"], ["key", "key"]]) {
        const pem = atob(user[`client-${field}-data`] as string);
        await writeLaptopFile(laptop, `${folder}/${file}.pem`, pem);
      }
    };
    const [first, second] = [await person(), await person()];
    await write(first.access);
    const path = await writeAccess(laptop, {
      ...first.access,
      user: {
        "client-certificate": `${folder}/cert.pem`,
        "client-key": `${folder}/key.pem`,
      },
    });
    await using _ = await connected(scene, path);
    await using database = await DatabaseSession.open(laptop);
    await write(second.access);
    await first.granted[Symbol.asyncDispose]();
    await loseCarriers(scene, database);
  },
};

function connected(
  { laptop, place }: Scene,
  kubeconfig: string,
): Promise<AsyncDisposable> {
  const flags = [...place.flag, "--kubeconfig", kubeconfig];
  return new Tp(laptop).connected(flags);
}

for (const [name, use] of Object.entries(cases)) {
  Deno.test({
    name: `an open stream does not notice ${name}`,
    // The bed's authority signs client certificates.
    ignore: Deno.env.has("TP_TEST_KUBECONFIG"),
    fn: async () => {
      const cluster = await openCluster();
      await using laptop = await Laptop.open(cluster);
      await using place = await managerPlace(cluster);
      await new Tp(laptop).ok(["install", ...place.flag]);
      await must(laptop.command(["mkdir", folder]));
      await use({ cluster, laptop, place });
    },
  });
}
