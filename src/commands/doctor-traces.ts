import type { Config } from "../config.ts";
import { reasonOf } from "./cli/failure.ts";
import { type Check, ok, warn } from "./doctor-check.ts";
import { placeOfUrl, reach } from "./doctor-reach.ts";

/** Where collectors take OTLP over gRPC, which is not spoken here. */
const GRPC_PORT = 4317;

/** Whether traces are sent, and whether anybody could take them. Orders don't depend on it. */
export async function checkTraces({ tracesEndpoint, tracesDisabled }: Config): Promise<Check> {
  const name = "traces";
  if (tracesEndpoint === null) return ok(name, "off: OTEL_EXPORTER_OTLP_ENDPOINT is not set");
  if (tracesDisabled) return ok(name, "off: OTEL_SDK_DISABLED is set");
  const place = placeOfUrl(tracesEndpoint);
  const told = `${place.host}:${place.port}`;
  try {
    await reach(place);
  } catch (error) {
    const advice =
      "orders go on, their spans are lost: check OTEL_EXPORTER_OTLP_ENDPOINT and the network between";
    return warn(name, `${told} can't be reached: ${reasonOf(error)}`, advice);
  }
  if (place.port !== GRPC_PORT) return ok(name, `${told} takes connections`);
  const advice = "they are sent by OTLP over HTTP, which collectors take on port 4318";
  return warn(name, `${told} is the usual port of OTLP over gRPC`, advice);
}
