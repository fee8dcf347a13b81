/** What an executable made by `tools/build` does, shown by a small program of the shape of `tp`. */
import assert from "node:assert/strict";

const build = new URL("../../tools/build/main.ts", import.meta.url).pathname;
const root = new URL("executable_sample", import.meta.url).pathname;
const isRoot = Deno.uid() === 0;
const nobody = { uid: 65534, gid: 65534 };

const directory = await Deno.makeTempDir();
await Deno.chmod(directory, 0o755); // other users run what is in it
addEventListener("unload", () => {
  Deno.removeSync(directory, { recursive: true });
});
const executable = await makeExecutable("sample");

async function makeExecutable(name: string, from = root): Promise<string> {
  const output = `${directory}/${name}`;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", build, "--root", from, "--output", output],
  }).output();
  assert(success, text(stderr));
  assert.match(text(stdout), /: (portable|deno compile) /);
  return output;
}

interface Run {
  args?: string[];
  env?: Record<string, string>;
  cwd?: string;
  stdin?: string;
  user?: typeof nobody;
  wrapper?: string[];
}

/** Runs the sample in an environment that holds `env` alone. */
async function run(show: string, options: Run = {}) {
  const { args = [], env = {}, cwd, stdin = "", user, wrapper = [] } = options;
  const [program, ...rest] = [...wrapper, executable, ...args];
  const child = new Deno.Command(program!, {
    args: rest,
    env: { SAMPLE: show, ...env },
    clearEnv: true,
    ...(cwd === undefined ? {} : { cwd }),
    ...user,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(stdin)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

async function shown<T>(show: string, options: Run = {}): Promise<T> {
  const { code, stdout, stderr } = await run(show, options);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "");
  return JSON.parse(stdout);
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

interface Args {
  args: string[];
  executable: string;
}

for (
  const args of [
    [],
    ["--", "-A", "--help", "-V", "--version"],
    ["", "ü→😀", "a b", "$HOME", "\n"],
    ["run", "/proc/self/fd/100", "--inspect", "-"],
    Array.from({ length: 1000 }, (_, i) => `argument ${i}`),
  ]
) {
  const words = JSON.stringify(args).slice(0, 60);
  Deno.test(`executable gets its arguments as they were typed: ${words}`, async () => {
    const seen = await shown<Args>("args", { args });
    assert.deepEqual(seen.args, args);
    assert.equal(seen.executable, executable);
  });
}

for (const code of [0, 1, 7, 127]) {
  Deno.test(`executable exits with ${code} when the program does`, async () => {
    assert.equal((await run("exit", { args: [String(code)] })).code, code);
  });
}

Deno.test("executable exits with 1 on an uncaught error and names the module", async () => {
  const { code, stderr } = await run("throw", { env: { NO_COLOR: "1" } });
  assert.equal(code, 1);
  assert.match(stderr, /boom\n/);
  assert.match(stderr, /tp:scenes\.js.*:\d+:\d+/);
});

Deno.test("executable handles SIGTERM itself", async () => {
  const child = new Deno.Command(executable, {
    env: { SAMPLE: "signal" },
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  assert.equal(text((await reader.read()).value!), "ready\n");
  child.kill("SIGTERM");
  assert.equal((await child.status).code, 43);
  await reader.cancel();
});

Deno.test("executable reads its standard input to the end", async () => {
  const { stdout } = await run("stdin", { stdin: "typed\nwords" });
  assert.equal(stdout, "TYPED\nWORDS\n");
});

Deno.test("executable starts itself again by Deno.execPath()", async () => {
  const seen = await shown<Args>("again");
  assert.deepEqual(seen.args, ["--again", "ü"]);
  assert.equal(seen.executable, executable);
});

Deno.test("executable is itself under names that mean something to Deno", async () => {
  for (const name of ["node", "dx"]) {
    const link = `${directory}/${name}`;
    await Deno.symlink(executable, link);
    const { stdout } = await new Deno.Command(link, { args: ["--version"] })
      .output();
    assert.deepEqual(JSON.parse(text(stdout)).args, ["--version"]);
  }
});

Deno.test("executable loads modules on demand, once, with npm packages and workers", async () => {
  assert.deepEqual(await shown("modules"), {
    yaml: { a: [1, 2] },
    sharedCount: 2,
    sameClass: true,
    turn: 1,
    builtin: "\n",
    worker: "question, answered",
  });
});

Deno.test("executable is not steered by files where it is run", async () => {
  const cwd = await Deno.makeTempDir();
  const files = {
    "deno.json": "{ broken",
    "package.json": "{ broken",
    "deno.lock": "{ broken",
    ".env": "SAMPLE=throw\n",
    ".npmrc": "registry=\n[broken",
    "100": "throw 1",
  };
  for (const [name, content] of Object.entries(files)) {
    await Deno.writeTextFile(`${cwd}/${name}`, content);
  }
  assert.deepEqual((await shown<Args>("args", { cwd })).args, []);
  await shown("modules", { cwd });
  await Deno.remove(cwd, { recursive: true });
});

const hostile = {
  DENO_DIR: "/nonexistent",
  DENO_V8_FLAGS: "--help",
  DENO_AUTO_SERVE: "1",
  DENO_CERT: "/nonexistent",
  DENO_TLS_CA_STORE: "nonsense",
  NODE_OPTIONS: "--require /nonexistent",
  NODE_TLS_REJECT_UNAUTHORIZED: "0",
  RUST_LOG: "debug",
  COMPLETE: "bash",
};

Deno.test("executable is not steered by the environment of its caller", async () => {
  const seen = await shown<Record<string, string>>("environment", {
    env: { ...hostile, NO_COLOR: "1", HTTPS_PROXY: "http://proxy" },
  });
  assert.deepEqual(seen, {
    SAMPLE: "environment",
    NO_COLOR: "1",
    HTTPS_PROXY: "http://proxy",
  });
});

Deno.test("executable can still read its caller's environment as it was", async () => {
  const seen = await shown<string[]>("caller", { env: hostile });
  const given = { SAMPLE: "caller", ...hostile };
  assert.deepEqual(
    seen.toSorted(),
    Object.entries(given).map(([name, value]) => `${name}=${value}`).sort(),
  );
});

Deno.test("executable gives its children neither its own variables nor its descriptors", async () => {
  const seen = await shown<{ names: string[]; descriptors: string }>("child", {
    env: { PATH: "/usr/bin:/bin", ...hostile },
  });
  const usual = new Set(["PATH", "SAMPLE", "PWD", "SHLVL", "_", "OLDPWD"]);
  assert.deepEqual(seen.names.filter((name) => !usual.has(name)), []);
  assert.doesNotMatch(seen.descriptors, /memfd|sample/);
});

Deno.test("executable's main module cannot be changed while it runs", async () => {
  assert.match((await run("tamper")).stdout, /not permitted|denied/i);
});

Deno.test("executable says what is wrong when too few open files are allowed", async () => {
  const wrapper = ["/bin/sh", "-c", 'ulimit -n 64; exec "$@"', "sh"];
  const { code, stderr } = await run("args", { wrapper });
  assert.equal(code, 1);
  assert.match(stderr, /^tp: cannot start: .*ulimit -n/);
});

Deno.test({
  name: "executable runs for a user without a home, and caches nothing",
  ignore: !isRoot,
  fn: async () => {
    assert.deepEqual((await shown<Args>("args", { user: nobody })).args, []);
    await shown("modules", { user: nobody });
  },
});

Deno.test({
  name: "executable caches byte code below the user's cache directory",
  ignore: !isRoot,
  fn: async () => {
    const home = await Deno.makeTempDir();
    await Deno.chown(home, nobody.uid, nobody.gid);
    const cached = async (path: string) =>
      (await Deno.stat(`${home}/${path}/v8_code_cache_v2`)).isFile;
    await run("args", { user: nobody, env: { HOME: home } });
    assert(await cached(".cache/tp/deno"));
    const env = { HOME: home, XDG_CACHE_HOME: `${home}/elsewhere` };
    await run("args", { user: nobody, env });
    assert(await cached("elsewhere/tp/deno"));
    await Deno.remove(home, { recursive: true });
  },
});

Deno.test({
  name:
    "executable takes no byte code and no certificates from a user's directory when it is root",
  ignore: !isRoot,
  fn: async () => {
    const home = await Deno.makeTempDir();
    const seen = await shown<Record<string, string>>("environment", {
      env: { HOME: home, XDG_CACHE_HOME: home, SSL_CERT_FILE: "/nonexistent" },
    });
    assert(!("SSL_CERT_FILE" in seen));
    assert.deepEqual(await Array.fromAsync(Deno.readDir(home)), []);
    const { mode, uid } = await Deno.stat("/var/cache/tp");
    assert.deepEqual([mode! & 0o777, uid], [0o700, 0]);
    await Deno.remove(home, { recursive: true });
  },
});

Deno.test({
  name:
    "executable runs in a container that holds nothing but glibc, read-only",
  ignore: !isRoot,
  fn: async () => {
    const container = await glibcRoot();
    const { code, stdout, stderr } = await new Deno.Command("unshare", {
      args: ["--mount", "sh", "-ec", containerScript, "sh", container],
    }).output();
    assert.equal(code, 0, text(stderr));
    assert.deepEqual(JSON.parse(text(stdout)).args, ["in", "container"]);
    await Deno.remove(container, { recursive: true });
  },
});

const containerScript = `
  mount --bind "$1" "$1"
  mount -t proc proc "$1/proc"
  mount -o remount,bind,ro "$1"
  exec env -i /usr/sbin/chroot --userspec=65534:65534 "$1" /tp in container
`;

/** A root directory with the executable, the libraries that it names, and a mount point. */
async function glibcRoot(): Promise<string> {
  const container = await Deno.makeTempDir();
  await Deno.chmod(container, 0o755);
  await Deno.mkdir(`${container}/proc`);
  const { stdout } = await new Deno.Command("ldd", { args: [executable] })
    .output();
  for (const [library] of text(stdout).matchAll(/\/\S+/g)) {
    const parent = library.slice(0, library.lastIndexOf("/"));
    await Deno.mkdir(container + parent, { recursive: true });
    await Deno.copyFile(library, container + library);
  }
  await Deno.copyFile(executable, `${container}/tp`);
  return container;
}

Deno.test("executable is the same, byte by byte, when it is built elsewhere", async () => {
  const copy = `${directory}/elsewhere`;
  await new Deno.Command("cp", { args: ["-r", root, copy] }).output();
  const again = await makeExecutable("again", copy);
  const digests = [executable, again].map(async (path) =>
    new Uint8Array(
      await crypto.subtle.digest("SHA-256", await Deno.readFile(path)),
    )
  );
  const [first, second] = await Promise.all(digests);
  assert.deepEqual(first, second);
});
