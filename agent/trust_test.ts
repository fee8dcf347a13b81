import assert from "node:assert/strict";
import { Trust } from "./trust.ts";

const pem = (text: string) =>
  `-----BEGIN CERTIFICATE-----\n${btoa(text)}\n-----END CERTIFICATE-----\n`;

Deno.test("Trust is the file's authorities and those that were told last", async () => {
  let file = pem("first");
  const trust = new Trust({ read: () => Promise.resolve(file) });
  assert.equal((await trust.authorities()).trim(), pem("first").trim());
  trust.tell(pem("second") + pem("third"));
  trust.tell(pem("third") + pem("fourth"));
  file = pem("renewed");
  const told = await trust.authorities();
  assert.deepEqual(
    ["first", "second", "third", "fourth", "renewed"].filter((name) =>
      told.includes(pem(name))
    ),
    ["third", "fourth", "renewed"],
  );
});

Deno.test("Trust passes over what is no certificate", async () => {
  const trust = new Trust({ read: () => Promise.resolve(pem("first")) });
  trust.tell(pem("second"));
  for (const text of ["", "PEM", `${pem("third")}and more`, "null"]) {
    trust.tell(text);
  }
  assert.ok((await trust.authorities()).endsWith(pem("second")));
});
