import assert from "node:assert/strict";
import { Ip, Subnet } from "../../net/mod.ts";
import { placeOf } from "./place.ts";

const table: [
  ip: string,
  cluster: string[],
  laptop: string[],
  place: string,
  never?: string[],
][] = [
  ["10.96.0.1", ["10.96.0.0/16"], ["192.168.1.0/24"], "cluster"],
  ["93.184.216.34", ["10.96.0.0/16"], ["192.168.1.0/24"], "laptop"],
  ["192.168.1.7", ["10.96.0.0/16"], ["192.168.1.0/24"], "laptop"],
  // A docker bridge and pods: equally wide.
  ["172.17.0.9", ["172.17.0.0/16"], ["172.17.0.0/16"], "cluster"],
  // The home network inside of a wide cluster, and the other way round.
  ["10.0.5.9", ["10.0.0.0/8"], ["10.0.5.0/24"], "laptop"],
  ["10.0.6.9", ["10.0.0.0/8"], ["10.0.5.0/24"], "cluster"],
  ["10.0.5.9", ["10.0.5.0/25", "10.0.0.0/8"], ["10.0.5.0/24"], "cluster"],
  ["fd00::7", ["fd00::/64"], ["10.0.0.0/8"], "cluster"],
  ["10.0.0.1", ["fd00::/64"], [], "laptop"],
  // What is never proxied, the narrower one first.
  ["10.96.0.7", ["10.96.0.0/16"], [], "laptop", ["10.96.0.7/32"]],
  ["10.96.0.8", ["10.96.0.0/16"], [], "cluster", ["10.96.0.7/32"]],
  ["10.96.0.7", ["10.96.0.0/16"], [], "cluster", ["10.0.0.0/8"]],
  ["10.96.0.7", ["10.96.0.0/16"], [], "laptop", ["10.96.0.0/16"]],
  ["10.0.5.9", ["10.0.0.0/8"], ["10.0.5.0/24"], "laptop", ["10.0.0.0/16"]],
];

for (const [ip, cluster, laptop, place, never = []] of table) {
  Deno.test(`placeOf() gives ${ip} to the ${place}: ${cluster} beside ${laptop}, never ${never}`, () => {
    const places = {
      cluster: cluster.map(Subnet.parse),
      laptop: laptop.map(Subnet.parse),
      never: never.map(Subnet.parse),
    };
    assert.equal(placeOf(Ip.parse(ip), places), place);
  });
}
