import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import logo from "../icon.svg";
import { sessionQuery } from "../api/queries.ts";
import { Button } from "../ui/button.tsx";
import { Field, Input } from "../ui/field.tsx";
import { ProblemNotice } from "../ui/notice.tsx";
import { Page } from "../ui/page.tsx";
import { signIn } from "./session.ts";

/** @param ended a session was there and is over: what was open opens again after signing in */
export function SignInPage({ ended }: { readonly ended: boolean }) {
  const queries = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const signing = useMutation({
    mutationFn: signIn,
    onSuccess: (session) => queries.setQueryData(sessionQuery.queryKey, session),
    onError: () => input.current?.select(),
  });
  return (
    <Page title="Sign in" quiet>
      <form
        className="mx-auto mt-[12dvh] flex w-full max-w-sm flex-col gap-4 rounded-lg border border-line bg-panel p-6"
        onSubmit={(event) => {
          event.preventDefault();
          signing.mutate(input.current?.value.trim() ?? "");
        }}
      >
        <div className="flex items-center gap-2.5 text-lg font-semibold">
          <img src={logo} alt="" className="size-7" />
          WaveGate
        </div>
        <p className="text-ink-2">
          {ended
            ? "Your session is over. Sign in, and you are back where you were."
            : "The console for operators: where every order is, and why."}
        </p>
        <Field label="Operator's token" hint="It begins with wgo_. Who runs the gateway gives it out.">
          {(ids) => (
            <Input
              {...ids}
              ref={input}
              type="password"
              name="token"
              autoComplete="current-password"
              autoFocus
              required
              maxLength={256}
              spellCheck={false}
            />
          )}
        </Field>
        {signing.isError && <ProblemNotice error={signing.error} />}
        <Button type="submit" kind="primary" busy={signing.isPending && "Signing in"}>
          Sign in
        </Button>
        <p className="text-xs text-ink-3">
          No token? <code>wavegate operator add</code> makes one; <code>wavegate serve --dev</code> prints a
          link that signs in.
        </p>
      </form>
    </Page>
  );
}
