import assert from "node:assert/strict";
import type { LogFields, Logger } from "../log.ts";
import { FakeClock } from "../net/clock_fake.ts";
import { Ip } from "../net/mod.ts";
import type { Session } from "../tunnel/mod.ts";
import { BoundedLog } from "./bounded_log.ts";
import { LaptopAudit } from "./laptop_audit.ts";
import { encodeTarget, type Target } from "./target.ts";

const why = "a test";

function open(users: readonly string[] = []) {
  const lines: LogFields[] = [];
  const add = (level: string) => (message: string, fields?: LogFields) =>
    void lines.push({ level, message, ...fields });
  const log: Logger = {
    ...{ debug: add("debug"), info: add("info") },
    ...{ warn: add("warn"), error: add("error") },
  };
  const audit = new LaptopAudit({
    log: new BoundedLog(log, new FakeClock()),
    usersOf: (thumbprint) => thumbprint === "known" ? users : [],
  });
  const forbid = (target: Target | Uint8Array, thumbprint = "known") =>
    audit.forbid({
      session: { peer: { thumbprint } } as Session,
      target: target instanceof Uint8Array ? target : encodeTarget(target),
      why,
    });
  return { lines, forbid };
}

const metadata = Ip.parse("169.254.169.254");
const intercept = "i".repeat(100);
const files = { kind: "files", container: "c".repeat(100) } as const;
const port = { port: 53, protocol: "UDP" } as const;
const loopback = { kind: "loopback", port } as const;
const told: { target: Target; fields: LogFields }[] = [
  {
    target: { kind: "tcp", ip: metadata, port: 80 },
    fields: { wanted: "tcp", to: "169.254.169.254:80" },
  },
  {
    target: { kind: "udp", ip: Ip.parse("fd00:ec2::254"), port: 53 },
    fields: { wanted: "udp", to: "[fd00:ec2::254]:53" },
  },
  {
    target: { kind: "echo", ip: metadata },
    fields: { wanted: "echo", to: "169.254.169.254" },
  },
  {
    target: { kind: "pod", intercept, wanted: files },
    fields: {
      ...{ wanted: "pod", intercept: "i".repeat(64) },
      ...{ part: "files", of: "c".repeat(64) },
    },
  },
  {
    target: { kind: "pod", intercept: "a", wanted: loopback },
    fields: { wanted: "pod", intercept: "a", part: "loopback", of: "53/UDP" },
  },
  {
    target: {
      ...{ kind: "pod", intercept: "a" },
      wanted: { kind: "address", ip: metadata, port },
    },
    fields: {
      ...{ wanted: "pod", intercept: "a", part: "address", of: "53/UDP" },
      to: "169.254.169.254",
    },
  },
];
for (const { target, fields } of told) {
  Deno.test(
    `LaptopAudit tells who asked, and for what: ${fields.wanted} ${
      [fields.part, fields.of ?? fields.to].join(" ").trim()
    }`,
    () => {
      const { lines, forbid } = open(["anna"]);
      forbid(target);
      const message = "forbidden to a laptop";
      const who = { thumbprint: "known", users: ["anna"] };
      assert.deepEqual(lines, [
        { level: "warn", message, why, ...who, ...fields },
      ]);
    },
  );
}

Deno.test("LaptopAudit tells of a session without intercepts no user, and of what it cannot read nothing", () => {
  const { lines, forbid } = open(["anna"]);
  forbid(Uint8Array.of(99), "another");
  const message = "forbidden to a laptop";
  assert.deepEqual(lines, [
    { level: "warn", message, why, thumbprint: "another" },
  ]);
});

Deno.test("LaptopAudit: one session that asks without end leaves another's lines alone", () => {
  const { lines, forbid } = open();
  const target: Target = { kind: "tcp", ip: metadata, port: 80 };
  for (let i = 0; i < 300; i++) forbid(target);
  assert.equal(lines.length, 100);
  forbid(target, "another");
  assert.equal(lines.at(-1)!.thumbprint, "another");
});
