import { buildRouteMap } from "@stricli/core";
import { briefly } from "./_briefly.ts";
import { apply, deleteDeclared } from "./apply.ts";
import { config } from "./config.ts";
import { connect } from "./connect.ts";
import { daemon } from "./daemon.ts";
import { doctor } from "./doctor.ts";
import { foregroundRoutes } from "./foreground.ts";
import { gatherLogs } from "./gather_logs.ts";
import { install } from "./install.ts";
import { ingest, intercept, replace, wiretap } from "./intercept.ts";
import { leave } from "./leave.ts";
import { list } from "./list.ts";
import { loglevel } from "./loglevel.ts";
import { proxy } from "./proxy.ts";
import { quit } from "./quit.ts";
import { run, shell } from "./run.ts";
import { status } from "./status.ts";
import { uninstall } from "./uninstall.ts";
import { version } from "./version.ts";

/** Every command of the program. Each loads its own code when it is run. */
export const routes = buildRouteMap({
  routes: {
    connect: briefly(connect, "[FLAGS] [-- COMMAND]"),
    ...{ status, list },
    doctor: briefly(doctor, "[FLAGS]"),
    run: briefly(run, "[FLAGS] -- COMMAND [ARGUMENTS]"),
    shell: briefly(shell, "[FLAGS]"),
    proxy: briefly(proxy, "[FLAGS]"),
    intercept: briefly(intercept, "NAME [FLAGS] [-- COMMAND]"),
    replace: briefly(replace, "NAME [FLAGS] [-- COMMAND]"),
    wiretap: briefly(wiretap, "NAME [FLAGS] [-- COMMAND]"),
    ingest: briefly(ingest, "NAME [FLAGS] [-- COMMAND]"),
    leave,
    ...{ apply, delete: deleteDeclared },
    quit,
    install: briefly(install, "[FLAGS]"),
    uninstall: briefly(uninstall, "WORKLOAD...|--all-agents|--everything"),
    loglevel: briefly(loglevel, "LEVEL [FLAGS]"),
    "gather-logs": briefly(gatherLogs, "[FLAGS]"),
    daemon,
    ...{ config, version },
    ...foregroundRoutes,
  },
  aliases: { detach: "leave" },
  docs: {
    brief: "Puts this laptop into a Kubernetes cluster",
    hideRoute: Object.fromEntries(
      Object.keys(foregroundRoutes).map((name) => [name, true]),
    ),
  },
});
