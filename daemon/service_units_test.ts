import assert from "node:assert/strict";
import {
  groupOf,
  isGroupName,
  serviceUnit,
  serviceUnits,
  socketUnit,
} from "./service_units.ts";

Deno.test("serviceUnits() opens the socket to one group and nobody else", () => {
  const units = serviceUnits({ group: "devs", program: ["/usr/bin/tp"] });
  const socket = units[socketUnit]!;
  assert.match(socket, /^ListenSequentialPacket=\/run\/tp-daemon\.sock$/m);
  assert.match(socket, /^SocketMode=0660$/m);
  assert.equal(groupOf(socket), "devs");
  assert.match(
    units[serviceUnit]!,
    /^ExecStart=\/usr\/bin\/tp daemon-foreground$/m,
  );
});

Deno.test("serviceUnits() keeps words of the command whole", () => {
  const program = ["/opt/my tools/t$p%", "run", 'a"b'];
  const unit = serviceUnits({ group: "devs", program })[serviceUnit]!;
  assert.match(
    unit,
    /^ExecStart="\/opt\/my tools\/t\$\$p%%" run "a\\"b" daemon-foreground$/m,
  );
});

Deno.test("isGroupName() takes no text that a unit would read otherwise", () => {
  for (const name of ["tp", "_tp", "docker-users", "Dev2"]) {
    assert.ok(isGroupName(name), name);
  }
  for (const name of ["", "2tp", "a b", "tp\nSocketMode=0666", "-x", "%i"]) {
    assert.ok(!isGroupName(name), name);
  }
});
