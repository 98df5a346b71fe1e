import { Failure } from "./cli/failure.ts";
import { invocation } from "./cli/invocation.ts";
import { plain } from "./cli/output.ts";

export function unknownPartner(id: string): Failure {
  const advice = `\`${invocation()} partner list\` shows them`;
  return new Failure("not_found", `there is no partner ${plain(id)}`, { advice });
}
