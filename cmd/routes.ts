import { buildRouteMap } from "@stricli/core";
import { apply, deleteDeclared } from "./apply.ts";
import { connect } from "./connect.ts";
import { foregroundRoutes } from "./foreground.ts";
import { install } from "./install.ts";
import { ingest, intercept, replace, wiretap } from "./intercept.ts";
import { leave } from "./leave.ts";
import { list } from "./list.ts";
import { quit } from "./quit.ts";
import { status } from "./status.ts";
import { uninstall } from "./uninstall.ts";
import { version } from "./version.ts";

/** Every command of the program. Each loads its own code when it is run. */
export const routes = buildRouteMap({
  routes: {
    ...{ connect, status, list },
    ...{ intercept, replace, wiretap, ingest, leave },
    ...{ apply, delete: deleteDeclared },
    ...{ quit, install, uninstall, version },
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
