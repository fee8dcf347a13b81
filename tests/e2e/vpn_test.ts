/** The VPN on a real device, in a network namespace of its own. */
import assert from "node:assert/strict";
import { TextLineStream } from "./vpn_lines.ts";

/** Runs scenarios of `vpn_scenarios.ts` and `vpn_protocols.ts`. */
class Harness implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: ReadableStreamDefaultReader<string>;

  constructor() {
    const harness = new URL("vpn_harness.ts", import.meta.url).pathname;
    const command = [Deno.execPath(), "run", "-A", "--quiet", harness];
    this.#process = new Deno.Command("unshare", {
      args: ["--net", "--mount", "--kill-child", "--fork", ...command],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#answers = this.#process.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
  }

  async run(scenario: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(`${scenario}\n`));
    const { value, done } = await this.#answers.read();
    assert.ok(!done, "the harness has ended");
    const { figure, error } = JSON.parse(value!);
    // deno-lint-ignore no-console
    if (figure) console.log(`${scenario}: ${figure}`);
    assert.equal(error, undefined, error);
  }

  /** It ends by itself when nothing is left running. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    await this.#answers.read();
    assert.equal((await this.#process.status).code, 0);
  }
}

const steps: [sentence: string, scenario: string][] = [
  ["a page arrives over IPv4 and IPv6", "curl"],
  ["an app sees the refusal of its service as its own", "refusals"],
  ["a dial ends when its app gives up", "givingUp"],
  ["the end of one direction travels alone", "halfClose"],
  ["a reset by the service reaches the app", "resetByService"],
  ["a reset by the app reaches the service", "resetByApp"],
  ["two thousand connections at once", "parallel"],
  ["more connections than there are ports", "manyOverTime"],
  ["a connection past the table is reset", "strangers"],
  ["a flow from another address is dropped", "foreignSource"],
  ["datagrams of every size come back", "udp"],
  ["a refused datagram is a port unreachable", "udpRefused"],
  ["ping of any size is answered", "ping"],
  ["an echo that is refused says why, or has no answer", "pingRefused"],
  [
    "traceroute by any protocol shows the device, then the service",
    "traceroute",
  ],
  ["what is sent to many goes nowhere", "toMany"],
  ["a full window stops the service, and every byte comes later", "zeroWindow"],
  ["both ends close at once", "simultaneousClose"],
  [
    "datagrams in flight come back in order, as those of QUIC",
    "datagramsInFlight",
  ],
  ["bulk from the app", "iperf"],
  ["bulk to the app", "iperfReverse"],
  ["bulk in eight connections", "iperfParallel"],
  ["bulk over IPv6", "iperfV6"],
  ["stopping resets what is open and leaves nothing", "stop"],
  ["the loss of the device is noticed", "deviceLost"],
];

Deno.test({
  name: "the VPN serves a real device",
  ignore: Deno.build.os !== "linux" || Deno.uid() !== 0,
  fn: async (test) => {
    await using harness = new Harness();
    for (const [sentence, scenario] of steps) {
      await test.step(sentence, () => harness.run(scenario));
    }
  },
});
