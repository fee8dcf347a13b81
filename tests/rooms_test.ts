/** The table of rooms as a test: who may import whom, and why not. */
import assert from "node:assert/strict";

interface Room {
  /** Doors of other rooms that this room may open. A room's name means its `mod.ts`. */
  may: string[];
  /** Why everything else is out of bounds. */
  because: string;
  /** True when `Deno.*` is banned too. */
  pure?: boolean;
}

const rooms: Record<string, Room> = {
  schema: {
    may: [],
    pure: true,
    because: "it is told what a value shall be like, and knows nothing else",
  },
  config: {
    may: ["build.ts", "yaml.ts", "docs/config.schema.json", "schema"],
    because:
      "it says what is set and where; what that means is said by who uses it",
  },
  libc: {
    may: [],
    because: "what the C library means, it means to every room that calls it",
  },
  net: {
    may: [],
    pure: true,
    because: "values and byte flows are below every room and know no system",
  },
  tunnel: {
    may: ["net"],
    pure: true,
    because: "the protocol is tested without network, time or system",
  },
  process: {
    may: ["libc"],
    because: "it tells of the system's processes, whoever asks",
  },
  tcp: {
    may: ["net", "log.ts", "libc"],
    because: "one connection of the system is one byte flow, whoever made it",
  },
  k8s: {
    may: ["net", "log.ts", "yaml.ts", "libc"],
    because: "the API server's client knows nothing of what it is used for",
  },
  vpn: {
    may: ["net", "log.ts", "libc", "tcp"],
    because: "packets become streams through the `dial` it is given",
  },
  dns: {
    may: ["net", "log.ts"],
    because: "names are answered through the `lookup` it is given",
  },
  manager: {
    may: ["net", "log.ts", "build.ts", "tcp", "tunnel", "k8s"],
    because: "it runs in the cluster and has no host to change",
  },
  http: { may: ["net", "log.ts"], because: "requests know no transport" },
  agent: {
    may: [
      "net",
      "log.ts",
      "build.ts",
      "http",
      "tcp",
      "tunnel",
      "manager/api.ts",
    ],
    because: "it sits beside an app and may do little",
  },
  daemon: {
    may: [
      "process",
      "net",
      "log.ts",
      "log_file.ts",
      "libc",
      "vpn/device.ts",
      "vpn/network_edge.ts",
      "dns/edges",
      // Alone, for what every command loads.
      "dns/edges/choose_edge.ts",
      "dns/edges/leftover.ts",
      "dns/edges/resolv_conf_edge.ts",
      "dns/edges/resolver_directory_edge.ts",
    ],
    because: "root reaches no network and parses nothing foreign",
  },
  inside: {
    may: [
      "net",
      "log.ts",
      "build.ts",
      "libc",
      "tcp",
      "tunnel",
      "vpn",
      "manager/api.ts",
    ],
    because:
      "it holds a device in a namespace and has all dialled by who is outside",
  },
  connector: {
    may: [
      "process",
      "net",
      "log.ts",
      "build.ts",
      "yaml.ts",
      "tcp",
      "tunnel",
      "vpn",
      "dns",
      "k8s",
      "http",
      "daemon/client.ts",
      "inside/client.ts",
      "manager/api.ts",
      "manager/client.ts",
    ],
    because: "it composes the laptop's side and nothing above it",
  },
  cmd: {
    may: [
      "process",
      "build.ts",
      "yaml.ts",
      "log.ts",
      "log_file.ts",
      "docs/workstation-state.schema.json",
      "schema",
      "config",
      "k8s",
      "connector",
      "connector/api.ts",
      "connector/client.ts",
      "daemon",
      "daemon/client.ts",
      "inside",
      "manager",
      "manager/client.ts",
      "agent",
    ],
    because: "commands are words in, words out; the work is in the rooms",
  },
};

const root = new URL("../", import.meta.url);

interface Import {
  file: string;
  room: string;
  /** Path of what is imported, from the root. */
  target: string;
}

async function* sources(directory: URL): AsyncGenerator<URL> {
  for await (const entry of Deno.readDir(directory)) {
    const url = new URL(
      entry.name + (entry.isDirectory ? "/" : ""),
      directory,
    );
    if (entry.isDirectory) yield* sources(url);
    else if (entry.name.endsWith(".ts")) yield url;
  }
}

/** Imports between files of the repository, static, dynamic and of types. */
function importsOf(file: URL, text: string): string[] {
  const pattern =
    /(?:^|\s)(?:import|export)\s[^;]*?from\s*"(\.[^"]+)"|import\(\s*"(\.[^"]+)"\s*\)|^import\s+"(\.[^"]+)"/gm;
  return [...text.matchAll(pattern)].map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3]!;
    return new URL(specifier, file).pathname.slice(root.pathname.length);
  });
}

/** Files that only tests load: they may reach into what they test. */
function isForTests(path: string): boolean {
  return /(_test|_fake)\.ts$/.test(path);
}

async function collect(): Promise<Import[]> {
  const found: Import[] = [];
  for (const room of Object.keys(rooms)) {
    const directory = new URL(`${room}/`, root);
    if (!await Deno.stat(directory).catch(() => false)) continue;
    for await (const url of sources(directory)) {
      const file = url.pathname.slice(root.pathname.length);
      if (isForTests(file)) continue;
      for (const target of importsOf(url, await Deno.readTextFile(url))) {
        found.push({ file, room, target });
      }
    }
  }
  return found;
}

/** What the table calls the imported file: a room for its door, else the path. */
function doorOf(target: string): string {
  return target.endsWith("/mod.ts")
    ? target.slice(0, -"/mod.ts".length)
    : target;
}

Deno.test("rooms import only through the doors that the table opens", async () => {
  const imports = await collect();
  assert.ok(imports.length > 50, `only ${imports.length} imports were found`);
  const broken = imports
    .filter(({ room, target }) => !target.startsWith(`${room}/`))
    .filter(({ room, target }) => !rooms[room]!.may.includes(doorOf(target)))
    .map(({ file, room, target }) =>
      `${file} imports ${target}: ${rooms[room]!.because}`
    );
  assert.deepEqual(broken, []);
});

Deno.test("pure rooms do not touch the system", async () => {
  for (const [room, { pure }] of Object.entries(rooms)) {
    if (!pure) continue;
    for await (const url of sources(new URL(`${room}/`, root))) {
      if (isForTests(url.pathname)) continue;
      const code = (await Deno.readTextFile(url))
        .replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
      assert.ok(!/\bDeno\./.test(code), `${url.pathname} uses Deno.*`);
    }
  }
});

Deno.test("private files are imported from their own folder only", async () => {
  const broken = (await collect()).filter(({ file, target }) => {
    const [folder, name] = [
      target.replace(/[^/]+$/, ""),
      target.split("/").at(-1)!,
    ];
    return name.startsWith("_") && !file.startsWith(folder);
  });
  assert.deepEqual(broken, []);
});

Deno.test("no file has outgrown its noun", async () => {
  for (const room of [...Object.keys(rooms), "tests", "tools", "bench"]) {
    const directory = new URL(`${room}/`, root);
    if (!await Deno.stat(directory).catch(() => false)) continue;
    for await (const url of sources(directory)) {
      if (url.pathname.includes("node_modules")) continue;
      const lines = (await Deno.readTextFile(url)).split("\n").length - 1;
      assert.ok(lines <= 500, `${url.pathname} has ${lines} lines`);
    }
  }
});
