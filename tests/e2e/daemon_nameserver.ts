/** A nameserver at the address of the first argument that knows an IPv4 address of every name and no IPv6 address. */
import { decode, encode } from "dns-packet";
import { createSocket } from "node:dgram";

const socket = createSocket("udp4");
socket.on("message", (bytes, client) => {
  const { id, questions } = decode(bytes);
  const [question] = questions ?? [];
  const reply = encode({
    type: "response",
    id: id!,
    flags: 0x180, // recursion desired and available
    questions: questions ?? [],
    answers: question?.type === "A"
      ? [{ type: "A", name: question.name, ttl: 1, data: "203.0.113.7" }]
      : [],
  });
  socket.send(reply, client.port, client.address);
});
socket.bind(53, Deno.args[0], () => {
  Deno.stdout.writeSync(new TextEncoder().encode("ready\n"));
});
