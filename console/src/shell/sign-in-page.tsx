import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import logo from "../icon.svg";
import { ApiProblem } from "../api/client.ts";
import { sessionQuery } from "../api/queries.ts";
import { Button } from "../ui/button.tsx";
import { Field, Input } from "../ui/field.tsx";
import { Notice, ProblemNotice } from "../ui/notice.tsx";
import { Page } from "../ui/page.tsx";
import { signIn } from "../session/session.ts";

interface Props {
  /** `ended`: a session was there and is over; `link`: the token of the link that was opened doesn't hold. */
  readonly why: keyof typeof WORDS;
}

const WORDS = {
  first: "The console for operators: where every order is, and why.",
  ended: "Your session is over. Sign in, and you are back where you were.",
  link: "The link's token doesn't hold any more. Open the newest one that the gateway has printed, or sign in with a token.",
} as const;

/** The way in, at whatever address: what was open opens again. */
export function SignInPage({ why }: Props) {
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
        <p role={why === "first" ? undefined : "status"} className="text-ink-2">
          {WORDS[why]}
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
        {signing.isError && <Refusal error={signing.error} />}
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

function Refusal({ error }: { readonly error: unknown }) {
  if (!(error instanceof ApiProblem) || error.status !== 401) return <ProblemNotice error={error} />;
  return (
    <Notice tone="stop" title="This token doesn't hold.">
      It may be mistyped or replaced, or its operator disabled.
    </Notice>
  );
}
