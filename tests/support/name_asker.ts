/** Who asks for names as programs do (ask_names.c): on a laptop, or in a pod. */
import { type Cluster, compileC, type Laptop, must } from "../cluster/mod.ts";

export interface NameAsker {
  /**
   * What is answered to each question of ask_names.c, in the order of the questions.
   *
   * @throws {Error} when the program fails
   */
  ask(questions: readonly string[]): Promise<string[]>;
  /** How long each answer took, in microseconds. @throws {Error} when there was none. */
  time(questions: readonly string[]): Promise<number[]>;
}

/** To be called before a laptop is opened that shall have the program. */
export function askNamesProgram(): Promise<string> {
  return compileC(new URL("ask_names.c", import.meta.url).pathname);
}

export async function askerOnLaptop(laptop: Laptop): Promise<NameAsker> {
  const program = await askNamesProgram();
  return asker((args, stdin) =>
    must(laptop.command([program, ...args]), { stdin })
  );
}

/** Makes a pod with the tools, and brings it the program. */
export async function askerInPod(
  cluster: Cluster,
  namespace: string,
): Promise<NameAsker> {
  const name = "asker";
  const registry = Deno.env.get("TP_TEST_IMAGES") ?? "docker.io/local";
  await cluster.apply(JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{
        ...{ name, image: `${registry}/tools:1` },
        args: ["-c", "sleep 100000"],
      }],
    },
  }));
  const mustExec = async (command: string[], stdin: string | Uint8Array) => {
    const { code, stdout, stderr } = await cluster.kubectl(
      ["exec", name, `--namespace=${namespace}`, "-i", "--", ...command],
      { stdin },
    );
    if (code === 0) return stdout;
    throw new Error(`Cannot run "${command.join(" ")}" in a pod: ${stderr}`);
  };
  await cluster.kubectl([
    ...["wait", `pod/${name}`, `--namespace=${namespace}`],
    ...["--for=condition=Ready", "--timeout=60s"],
  ]);
  const program = await Deno.readFile(await askNamesProgram());
  const path = "/tmp/ask_names";
  await mustExec(["sh", "-c", `cat >${path} && chmod 755 ${path}`], program);
  return asker((args, stdin) => mustExec([path, ...args], stdin));
}

/** @param run Runs the program with these arguments and this input, and resolves to what it printed. */
function asker(
  run: (args: string[], stdin: string) => Promise<string>,
): NameAsker {
  return {
    ask: async (questions) =>
      answersTo(questions, await run([], lines(questions))),
    time: async (questions) => {
      const told = answersTo(questions, await run(["time"], lines(questions)));
      if (!told.includes("!")) return told.map(Number);
      const question = questions[told.indexOf("!")];
      throw new Error(`Cannot time "${question}": no answer`);
    },
  };
}

function lines(questions: readonly string[]): string {
  return questions.map((question) => `${question}\n`).join("");
}

function answersTo(questions: readonly string[], text: string): string[] {
  const told = text.trimEnd().split("\n");
  return questions.map((question, i) => {
    const [head, answer] = [`${question}:`, told[i] ?? ""];
    if (answer.startsWith(head)) return answer.slice(head.length).trim();
    throw new Error(`Cannot read the answer to "${question}": "${answer}"`);
  });
}
