import type { ReactNode } from "react";
import { ApiProblem } from "../api/client.ts";
import { Button } from "./button.tsx";
import { WarningIcon } from "./icons.tsx";
import { TONES, type Tone } from "./status.tsx";

interface NoticeProps {
  readonly tone: Tone;
  readonly title: ReactNode;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}

/** Something that the reader has to know before all else. */
export function Notice({ tone, title, children, action }: NoticeProps) {
  return (
    <div
      role={tone === "stop" ? "alert" : "status"}
      className={`flex flex-wrap items-start gap-x-3 gap-y-2 rounded-md px-3 py-2 outline-transparent outline -outline-offset-1 ${TONES[tone]}`}
    >
      <WarningIcon className="mt-0.5 size-4" />
      <div className="min-w-0 flex-1 basis-64">
        <p className="font-medium wrap-anywhere">{title}</p>
        {children && <div className="mt-0.5 wrap-anywhere text-ink-2">{children}</div>}
      </div>
      {action}
    </div>
  );
}

/** What went wrong with a request, and what to do. */
export function ProblemNotice({
  error,
  onRetry,
}: {
  readonly error: unknown;
  readonly onRetry?: () => void;
}) {
  const problem = error instanceof ApiProblem ? error : null;
  return (
    <Notice
      tone="stop"
      title={<Sentence text={problem?.message ?? "something in this page went wrong."} />}
      action={onRetry && <Button onClick={onRetry}>Try again</Button>}
    >
      {problem && problem.errors.length > 0 ? (
        <ul className="list-disc ps-4">
          {problem.errors.map(({ pointer, detail }) => (
            <li key={`${pointer} ${detail}`}>
              {pointer === "" ? "" : <code>{pointer}</code>} {detail}
            </li>
          ))}
        </ul>
      ) : (
        adviceOf(problem)
      )}
    </Notice>
  );
}

/** The gateway's words begin small, as those of a log do. */
function Sentence({ text }: { readonly text: string }) {
  return <span className="inline-block first-letter:uppercase">{text}</span>;
}

function adviceOf(problem: ApiProblem | null): string {
  if (problem === null) return "Reload the page. If it comes again, tell who runs the gateway.";
  if (problem.status === 0)
    return "Look whether you are online and the gateway runs. Nothing that was accepted is lost.";
  if (problem.kind === "operator-needed")
    return "Your role may look, but not do this. Ask somebody with role operator.";
  if (problem.status === 404) return "Look whether the address is right.";
  if (problem.status === 503) return "The gateway or its database is busy. Try again in a moment.";
  return "";
}
