// deno-lint-ignore-file no-console -- its line is read by the test
/**
 * `crowd_clients_script.ts ADDRESS COUNT`: asks for each number below COUNT once, with a header `x-user` of that number, many
 * at a time. Prints a JSON list of the answers.
 */
const [address, count] = Deno.args;
const atOnce = 50;
const answers: string[] = [];
let next = 0;

async function work(): Promise<void> {
  for (let n = next++; n < Number(count); n = next++) {
    try {
      const signal = AbortSignal.timeout(30_000);
      const headers = { "x-user": `u${n}` };
      const response = await fetch(`http://${address}/who`, {
        headers,
        signal,
      });
      answers[n] = await response.text();
    } catch (error) {
      answers[n] = String(error);
    }
  }
}

await Promise.all(Array.from({ length: atOnce }, work));
console.log(JSON.stringify(answers));
Deno.exit();
