// deno-lint-ignore-file no-console -- its words are for who runs it
/**
 * `./dev demo`: the main job on this machine, as a user would do it. Needs nothing but Debian and root: the cluster is
 * made here, the sample application is the tutorial's.
 */
const root = new URL("../", import.meta.url).pathname;
const cluster = [Deno.execPath(), "run", "-A", "tests/cluster/main.ts"];
const tp = `${root}dist/tp`;
const url = "verylargejavaservice.default:8080";

interface Outcome {
  code: number;
  stdout: string;
}

async function run(
  command: string[],
  { env = {}, show = true }: { env?: Record<string, string>; show?: boolean } =
    {},
): Promise<Outcome> {
  const [program, ...args] = command;
  const child = new Deno.Command(program!, {
    args,
    env,
    cwd: root,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let stdout = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    if (show) Deno.stdout.writeSync(new TextEncoder().encode(text));
    stdout += text;
  }
  return { code: (await child.status).code, stdout };
}

/** Prints what a user would type, and does it. */
async function typed(words: string, command: string[], env = {}) {
  console.log(`\n$ ${words}`);
  return await run(command, { env });
}

function mustSucceed({ code }: Outcome, what: string): void {
  if (code === 0) return;
  console.error(`\ndemo: ${what} failed with exit code ${code}`);
  Deno.exit(1);
}

const wasUp = (await run([...cluster, "status"], { show: false })).code === 0;
console.log(
  "# A real Kubernetes on this machine, outside of the host's network",
);
mustSucceed(await run([...cluster, "up"]), "the cluster");
console.log("\n# The image of manager and agent, and the sample application");
mustSucceed(await run([...cluster, "image", "dist/tp"]), "the image");
mustSucceed(await run([...cluster, "app"]), "the sample application");
const { stdout } = await run([...cluster, "kubeconfig"], { show: false });
const env = { KUBECONFIG: stdout.trim() };

let failed = "";
try {
  console.log("\n# Before: the name means nothing on this laptop");
  console.log(`\n$ export KUBECONFIG=${env.KUBECONFIG}`);
  const curl = ["curl", "-sS", "--max-time", "10", url];
  const before = await typed(`curl ${url}`, curl);
  if (before.code === 0) failed = "curl answered before tp connect";

  console.log("\n# Connect");
  const connected = await typed("tp connect", [tp, "connect"], env);
  if (connected.code !== 0) failed ||= "tp connect failed";
  const page = await typed(`curl ${url}`, curl);
  if (!page.stdout.includes("EdgyCorp")) failed ||= "curl showed no page";
  await typed("tp status", [tp, "status"], env);

  console.log("\n# Quit: the name is gone");
  await typed("tp quit", [tp, "quit"], env);
  const after = await typed(`curl ${url}`, curl);
  if (after.code === 0) failed ||= "curl answered after tp quit";
} finally {
  if (!wasUp) {
    console.log("\n# The cluster goes down again (./dev cluster up keeps one)");
    await run([...cluster, "down"]);
  }
}
if (failed !== "") {
  console.error(`\ndemo: ${failed}`);
  Deno.exit(1);
}
console.log(
  `\nThe page came from inside the cluster. dist/tp is yours to use.`,
);
