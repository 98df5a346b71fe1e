import { useMutation } from "@tanstack/react-query";
import { call, CONSOLE_PATH } from "../api/client.ts";

/** Nothing of what was read stays in the page's memory: it is loaded anew. */
export function useSignOut() {
  return useMutation({
    mutationFn: () => call("admin/session", { method: "DELETE" }),
    onSuccess: () => location.replace(CONSOLE_PATH),
  });
}
