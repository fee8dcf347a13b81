/** TLS through an agent: nobody opens it on the way, so its clients see the certificate of whoever serves. */
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { appBinary, say, waitFor } from "../cluster/mod.ts";
import { openPlace } from "../support/intercept_place.ts";
import { sampleService } from "../support/sample_application.ts";
import { deploySmall } from "../support/small_workloads.ts";
import { hasAgent } from "../support/workload_watch.ts";

const name = "secure";
const ports = [
  { name: "http", containerPort: 8080 },
  { name: "tls", containerPort: 8443 },
];
const certificatePattern =
  /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/;

Deno.test("TLS goes through an agent untouched, without a rule, beside rules of HTTP, and to a laptop", async (t) => {
  const place = await openPlace();
  await using _ = place.moved;
  const { cluster, laptop, tp, namespace, watch } = place;
  await deploySmall(cluster, namespace, {
    ...{ name, ports: ["tls"] },
    container: { args: ["who", "-tls", ":8443"], ports },
  });
  const server = laptop.spawn(
    [...sampleService(await appBinary(), "who"), "-tls", ":8443"],
    { env: { WHO: "laptop" }, stderr: "null" },
  );
  const curl = async (...args: string[]) => {
    const { code, stdout, stderr } = await laptop.run(
      ["curl", "-sS", "-m", "10", ...args],
    );
    assert.equal(code, 0, stderr);
    return stdout;
  };
  /** Who answers over TLS, by what protocol and certificate. */
  const answer = async (...args: string[]) => {
    const told = await curl(
      ...["-k", "-w", "\n%{certs}", ...args],
      `https://${name}.${namespace}:9090/who`,
    );
    const [pem] = certificatePattern.exec(told) ?? [];
    assert.ok(pem, told);
    const [json = ""] = told.split("\n");
    const { who, protocol }: { who: string; protocol: string } = JSON.parse(
      json,
    );
    const { raw } = new X509Certificate(pem);
    const sha256 = createHash("sha256").update(raw).digest("hex");
    return { who, protocol, sha256 };
  };
  const answersAs = async (who: RegExp, certificate: string) => {
    for (const [flag, protocol] of [["--http2", "2.0"], ["--http1.1", "1.1"]]) {
      const told = await answer(flag!);
      assert.match(told.who, who);
      assert.equal(told.sha256, certificate);
      assert.equal(told.protocol, `HTTP/${protocol}`);
    }
  };
  const intercept = (...flags: string[]) =>
    tp.ok([
      ...["intercept", name, "--port", "8443:tls", "--mount=false", ...flags],
    ]);

  await intercept("--http-header", "x-user=a");
  assert.deepEqual((await watch.pods(name)).map(hasAgent), [true]);
  const own = `http://${name}.${namespace}/certificate`;
  let ofApp = "";
  // Nodes may lead to the pod that ends for a moment more.
  await waitFor("certificate of the app", async () => {
    const [told, { sha256 }] = [await curl(own), await answer()];
    ofApp = told.trim();
    return ofApp === sha256 || `${ofApp}, and at the port ${sha256}`;
  }, { timeoutMs: 10_000 });
  const ofLaptop = (await curl("http://127.0.0.1:8080/certificate")).trim();
  assert.match(ofLaptop, /^[0-9a-f]{64}$/);
  assert.notEqual(ofLaptop, ofApp);
  say(`certificates: the app's ${ofApp}, the laptop's ${ofLaptop}`);

  await t.step("beside a rule for requests of HTTP", async () => {
    await answersAs(/^secure-/, ofApp);
    await tp.ok(["leave", name]);
  });
  await t.step("without a rule", () => answersAs(/^secure-/, ofApp));
  await t.step("to the laptop, and back", async () => {
    await intercept();
    await answersAs(/^laptop$/, ofLaptop);
    await tp.ok(["leave", name]);
    await answersAs(/^secure-/, ofApp);
  });
  server.kill();
  await server.status;
});
