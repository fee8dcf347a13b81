/** The collections of our own objects. */
import { resource } from "../k8s/mod.ts";
import type { Agent } from "./agent_object.ts";
import { apiVersion, type Intercept } from "./intercept.ts";

export const intercepts = resource<Intercept>(apiVersion, "Intercept");
export const agents = resource<Agent>(apiVersion, "Agent");
