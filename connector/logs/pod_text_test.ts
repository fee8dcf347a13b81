import assert from "node:assert/strict";
import type { Pod } from "../../k8s/mod.ts";
import { withoutSecrets, withoutTokens } from "./pod_text.ts";

Deno.test("withoutSecrets() keeps what a pod is made of and none of its values", () => {
  const pod = {
    metadata: {
      ...{ name: "web", namespace: "a", labels: { app: "web" } },
      annotations: { "vault.example/key": "hush-1" },
      managedFields: [{ manager: "hush-2" }],
    },
    spec: {
      nodeName: "n1",
      containers: [{
        ...{ name: "app", image: "web:1", command: ["web", "--key=hush-3"] },
        args: ["hush-4"],
        env: [
          { name: "PASSWORD", value: "hush-5" },
          {
            name: "FROM",
            valueFrom: { secretKeyRef: { name: "s", key: "k" } },
          },
        ],
        livenessProbe: {
          exec: { command: ["check", "hush-6"] },
          httpGet: {
            httpHeaders: [{ name: "Authorization", value: "hush-7" }],
          },
        },
        lifecycle: { preStop: { exec: { command: ["hush-8"] } } },
      }],
      initContainers: [{ name: "i", env: [{ name: "A", value: "hush-9" }] }],
    },
    status: { phase: "Running" },
  } as unknown as Pod;
  const text = JSON.stringify(withoutSecrets(pod));
  assert.doesNotMatch(text, /hush/);
  for (
    const kept of [
      ...["web:1", '"nodeName":"n1"', '"PASSWORD"', "secretKeyRef", "Running"],
      ...['"vault.example/key"', '"app":"web"'],
    ]
  ) assert.ok(text.includes(kept), kept);
});

Deno.test("withoutTokens() takes tokens, keys and passwords out of lines, and nothing else", () => {
  const hidden = [
    "token eyJhbGciOiJub25lIn0.eyJzdWIiOiJodXNoIn0.hush was refused",
    "Authorization: Bearer hush-hush-hush",
    "Authorization: Basic aHVzaDpodXNo",
    "at https://user:hush@proxy.test:3128/",
    '{"message":"x","password":"hush-hush"}',
    "client-key-data: aHVzaGh1c2g=",
    "-----BEGIN RSA PRIVATE KEY-----\nhush\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nhush\ncut off",
  ];
  for (const line of hidden) {
    const text = withoutTokens(line);
    assert.match(text, /REDACTED/, line);
    assert.doesNotMatch(text, /hush|aHVz/, line);
  }
  const plain = '{"time":"2026-01-01","room":"connector","message":"carrier ' +
    'lost","pod":"traffic-manager-0","url":"https://10.0.0.1:6443/"}';
  assert.equal(withoutTokens(plain), plain);
  const volume = "- name: a\n  secret:\n    secretName: hush\n";
  assert.equal(withoutTokens(volume), volume);
});
