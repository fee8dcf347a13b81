import assert from "node:assert/strict";
import { type EnvSyntax, envSyntaxes, formatEnv } from "./_env_syntax.ts";

const value = `it's "5" $HOME \\ %OS% ! #`;

const table: [EnvSyntax, text: string][] = [
  ["docker", `A=${value}\n`],
  ["compose", `A="it's \\"5\\" \\$HOME \\\\ %OS% ! #"\n`],
  ["sh", `A='it'\\''s "5" $HOME \\ %OS% ! #'\n`],
  ["sh:export", `export A='it'\\''s "5" $HOME \\ %OS% ! #'\n`],
  ["csh", `set A='it'\\''s "5" $HOME \\ %OS% \\! #'\n`],
  ["csh:export", `setenv A 'it'\\''s "5" $HOME \\ %OS% \\! #'\n`],
  ["json", `{\n  "A": ${JSON.stringify(value)}\n}\n`],
  ["ps", `$A='it''s "5" $HOME \\ %OS% ! #'\n`],
  ["ps:export", `$Env:A='it''s "5" $HOME \\ %OS% ! #'\n`],
];

for (const [syntax, text] of table) {
  Deno.test(`formatEnv() quotes for ${syntax}`, () => {
    assert.deepEqual(formatEnv({ A: value }, syntax), { text, omitted: [] });
  });
}

Deno.test("formatEnv() writes no value that ends its quotes and goes on as a command", () => {
  const environment = { A: 'a" & calc & "', B: "50% \u2019; calc #" };
  assert.deepEqual(formatEnv(environment, "cmd"), {
    text: 'set "B=50%% \u2019; calc #"\r\n',
    omitted: ["A"],
  });
  assert.equal(
    formatEnv(environment, "ps").text,
    `$A='a" & calc & "'\n$B='50% \u2019\u2019; calc #'\n`,
  );
});

Deno.test("formatEnv() writes line ends where the syntax can, and tells where it cannot", () => {
  const told = envSyntaxes.map((syntax) => [
    syntax,
    formatEnv({ B: "1", A: "x\ny" }, syntax),
  ]);
  const one = (text: string) => ({ text, omitted: [] });
  assert.deepEqual(Object.fromEntries(told), {
    docker: { text: "B=1\n", omitted: ["A"] },
    compose: one('A="x\\ny"\nB=1\n'),
    sh: one("A='x\ny'\nB='1'\n"),
    "sh:export": one("export A='x\ny'\nexport B='1'\n"),
    csh: one("set A='x\\\ny'\nset B='1'\n"),
    "csh:export": one("setenv A 'x\\\ny'\nsetenv B '1'\n"),
    cmd: { text: 'set "B=1"\r\n', omitted: ["A"] },
    json: one('{\n  "A": "x\\ny",\n  "B": "1"\n}\n'),
    ps: one("$A='x\ny'\n$B='1'\n"),
    "ps:export": one("$Env:A='x\ny'\n$Env:B='1'\n"),
  });
});

Deno.test("formatEnv() leaves out names that would break who reads it", () => {
  const environment = { "a.b": "1", "x;rm -rf /": "2" };
  assert.deepEqual(formatEnv(environment, "sh"), {
    text: "",
    omitted: ["a.b", "x;rm -rf /"],
  });
  assert.equal(
    formatEnv({ "a.b": "1" }, "ps:export").text,
    "${Env:a.b}='1'\n",
  );
});

Deno.test("what formatEnv() writes for sh is what a shell reads", async () => {
  const environment = { A: value, B: "x\ny\n", C: "" };
  const { text } = formatEnv(environment, "sh:export");
  const script = `${text}\nprintf '%s|' "$A" "$B" "$C"`;
  const { stdout } = await new Deno.Command("/bin/sh", {
    args: ["-c", script],
  }).output();
  assert.equal(
    new TextDecoder().decode(stdout),
    `${value}|x\ny\n||`,
  );
});
