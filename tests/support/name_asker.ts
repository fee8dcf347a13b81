/** Who asks for names as programs do (ask_names.c): on a laptop, or in a pod. */
import { type Cluster, compileC, type Laptop, must } from "../cluster/mod.ts";

export interface NameAsker {
  /**
   * What is answered to each question of ask_names.c, in the order of the questions.
   *
   * @throws {Error} when the program fails
   */
  ask(questions: readonly string[]): Promise<string[]>;
}

/** To be called before a laptop is opened that shall have the program. */
export function askNamesProgram(): Promise<string> {
  return compileC(new URL("ask_names.c", import.meta.url).pathname);
}

export async function askerOnLaptop(laptop: Laptop): Promise<NameAsker> {
  const program = await askNamesProgram();
  return {
    ask: async (questions) =>
      answersTo(
        questions,
        await must(laptop.command([program]), { stdin: lines(questions) }),
      ),
  };
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
  return {
    ask: async (questions) =>
      answersTo(questions, await mustExec([path], lines(questions))),
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
