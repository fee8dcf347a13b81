/** `hold_ports.ts PORT…`: listens on the ports on all addresses, TCP and UDP, says so in one line, and serves nobody. */
for (const port of Deno.args.map(Number)) {
  // The unspecified address of IPv6 stands for those of IPv4 as well.
  const address = { hostname: "::", port };
  Deno.listen(address).accept();
  Deno.listenDatagram({ transport: "udp", ...address }).receive();
}
// deno-lint-ignore no-console -- who started this waits for it
console.log("held");
