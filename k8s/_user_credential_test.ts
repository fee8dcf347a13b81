import assert from "node:assert/strict";
import { userCredential } from "./_user_credential.ts";
import type { Credential } from "./credential.ts";
import type { UserEntry } from "./kubeconfig.ts";

const certificate = (name: string) => `-----BEGIN CERTIFICATE-----\n${name}`;
const key = (name: string) => `-----BEGIN PRIVATE KEY-----\n${name}`;

/** A user of a kubeconfig in a folder of its own, which a test may change. */
async function setUp(entry: UserEntry, files: Record<string, string> = {}) {
  const folder = await Deno.makeTempDir();
  const write = async (files: Record<string, string>) => {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/next`, text);
      await Deno.rename(`${folder}/next`, `${folder}/${name}`);
    }
  };
  await write(files);
  const path = `${folder}/config`;
  const it = { entry, reads: 0, now: 0 };
  const credential = await userCredential({ entry, path }, {
    userName: "u",
    env: { PATH: Deno.env.get("PATH")! },
    terminal: false,
    clusterInfo: {},
    now: () => it.now,
    reread: () => {
      it.reads++;
      return Promise.resolve({ entry: it.entry, path });
    },
  });
  return Object.assign(it, {
    credential,
    write,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  });
}

/** As who asks, and is refused once. */
async function refuse(credential: Credential): Promise<boolean> {
  return credential.renew(await credential.present());
}

Deno.test("userCredential() gives the certificate that is in the files at the time", async () => {
  await using user = await setUp(
    { "client-certificate": "c.pem", "client-key": "c.key" },
    { "c.pem": certificate("one"), "c.key": key("one") },
  );
  const { credential } = user;
  const first = await credential.present();
  assert.deepEqual(first, {
    certificate: { cert: certificate("one"), key: key("one") },
  });
  assert.equal(await credential.present(), first);
  await user.write({ "c.pem": certificate("two"), "c.key": key("two") });
  const second = await credential.present();
  assert.deepEqual(second, {
    certificate: { cert: certificate("two"), key: key("two") },
  });
  assert.equal(await credential.present(), second);
  assert.equal(user.reads, 0);
});

Deno.test("userCredential() says that a certificate's file is gone, and goes on when it is back", async () => {
  const files = { "c.pem": certificate("one"), "c.key": key("one") };
  await using user = await setUp(
    { "client-certificate": "c.pem", "client-key": "c.key" },
    files,
  );
  await user.write({ "c.key": "no key" });
  await assert.rejects(user.credential.present(), {
    name: "CredentialError",
    message:
      /^Cannot get the client certificate: .*client-certificate and client-key are no pair/,
  });
  await user.write(files);
  assert.ok((await user.credential.present()).certificate);
});

Deno.test("userCredential() lets a certificate go along with a token, and one of a plugin before it", async () => {
  const own = {
    "client-certificate-data": btoa(certificate("own")),
    "client-key-data": btoa(key("own")),
  };
  {
    await using user = await setUp({ ...own, token: "t" });
    assert.deepEqual(await user.credential.present(), {
      authorization: "Bearer t",
      certificate: { cert: certificate("own"), key: key("own") },
    });
  }
  const apiVersion = "client.authentication.k8s.io/v1";
  const answer = (status: object) =>
    JSON.stringify({ apiVersion, kind: "ExecCredential", status });
  for (
    const [status, cert] of [
      [{ token: "t" }, certificate("own")],
      [{ clientCertificateData: "C", clientKeyData: "K" }, "C"],
    ] as const
  ) {
    const args = ["-c", `echo '${answer(status)}'`];
    const exec = { apiVersion, command: "sh", args };
    await using user = await setUp({ ...own, exec });
    const proof = await user.credential.present();
    assert.equal(proof.certificate?.cert, cert);
  }
});

Deno.test("userCredential() reads the kubeconfig again when its token was refused", async () => {
  await using user = await setUp({ token: "old" });
  const { credential } = user;
  // Not at once: it was read a moment ago.
  assert.equal(await refuse(credential), false);
  user.now += 1_000;
  const first = await credential.present();
  assert.equal(credential.renew(first), true);
  assert.equal(await credential.present(), first);
  assert.equal(user.reads, 1);
  user.now += 1_000;
  user.entry = { token: "fresh" };
  assert.equal(await refuse(credential), true);
  const fresh = await credential.present();
  assert.deepEqual(fresh, { authorization: "Bearer fresh" });
  // Who was refused with what is not presented any more has but to ask again.
  assert.equal(credential.renew(first), true);
  assert.equal(await credential.present(), fresh);
  assert.equal(user.reads, 2);
});

Deno.test("userCredential() keeps what it has while the kubeconfig is of no use", async () => {
  await using user = await setUp({ token: "old" });
  user.now += 1_000;
  user.entry = { "auth-provider": { name: "gcp" } };
  assert.equal(await refuse(user.credential), true);
  assert.deepEqual(await user.credential.present(), {
    authorization: "Bearer old",
  });
});
