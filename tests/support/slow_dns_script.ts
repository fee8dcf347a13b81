/**
 * A nameserver that is slow where it is told so by the name: `wait-MS.…` has an address after so many milliseconds,
 * `never.…` gets no answer, and no other name exists. Once a line is read it is silent to all. Over UDP alone. Prints a line
 * when it can be asked, and one for each name that it is asked for, the first time of each asker's port.
 *
 * Argument: its address.
 */
// deno-lint-ignore-file no-console -- the test reads the line
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
// @ts-types="@types/dns-packet"
import packet from "dns-packet";

const noSuchName = 3;

if (import.meta.main) {
  const [address = ""] = Deno.args;
  const socket = createSocket("udp4");
  const askers = new Set<string>();
  let isSilent = false;
  Deno.stdin.read(new Uint8Array(16)).then(() => {
    isSilent = true;
    console.log("silent");
  });
  socket.on("message", (message, from) => {
    const { id, questions = [] } = packet.decode(Buffer.from(message));
    const [question] = questions;
    const [label = ""] = question?.name.split(".") ?? [];
    const waitMs = /^wait-(\d+)$/.exec(label)?.[1];
    if (question === undefined) return;
    const asker = `${from.port} ${id} ${question.name}`;
    if (!askers.has(asker)) console.log(question.name);
    askers.add(asker);
    if (label === "never" || isSilent) return;
    const answer = packet.encode({
      ...{ type: "response", id: id!, questions },
      flags: packet.AUTHORITATIVE_ANSWER |
        (waitMs === undefined ? noSuchName : 0),
      answers: waitMs === undefined || question.type !== "A" ? [] : [
        { type: "A", name: question.name, ttl: 0, data: "10.244.252.1" },
      ],
    });
    setTimeout(
      () => socket.send(answer, from.port, from.address),
      Number(waitMs ?? 0),
    );
  });
  socket.bind(53, address, () => console.log("ready"));
}
