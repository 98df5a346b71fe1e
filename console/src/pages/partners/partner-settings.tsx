import type { ReactNode } from "react";
import type { PartnerWithStanding } from "../../api/types.ts";
import { span } from "../../format/time.ts";
import { Copyable } from "../../ui/copy.tsx";
import { Panel } from "../../ui/page.tsx";
import { Time } from "../../ui/time.tsx";

/** How it is set up, and the command that changes each: what is rare lives on the command line. */
export function PartnerSettings({ partner }: { readonly partner: PartnerWithStanding }) {
  const { partner_id: id, rate_limit: rate, hold_limit_secs: hold } = partner;
  const set = `wavegate partner set ${id}`;
  return (
    <Panel title="Settings">
      <p className="border-b border-line px-3 py-2 text-xs text-ink-2">
        Changed on the command line; a change holds at once. Click on a command to copy it.
      </p>
      <dl className="divide-y divide-line">
        <Setting label="May send from" command={`${set} --cidr 203.0.113.0/24`}>
          <Names of={partner.allowlist_cidrs} none="Anywhere" />
        </Setting>
        <Setting label="Callback hosts" command={`${set} --callback-host '*.partner.example.com'`}>
          <Names of={partner.callback_hosts} none="Any that the configuration allows" />
        </Setting>
        <Setting label="Rate limit" command={`${set} --rate-capacity 20 --rate-per-sec 5`}>
          {rate === null
            ? "The configuration's"
            : `${rate.capacity} requests at once, then ${rate.per_sec ?? 0} a second`}
        </Setting>
        <Setting label="Token" command={`wavegate partner rotate ${id}`}>
          <Rotation until={partner.previous_token_valid_until} whole="One">
            Being replaced: the one before holds until
          </Rotation>
        </Setting>
        <Setting label="Signing secret" command={`wavegate partner secret ${id}`}>
          {partner.own_signing_secret ? "Its own" : "The one that partners share (CALLBACK_SIGNING_SECRET)"}
          <Rotation until={partner.previous_signing_secret_valid_until} whole="">
            . The one before signs too, until
          </Rotation>
        </Setting>
        <Setting
          label="An external id that it used before"
          command={`${set} --${partner.reject_repeats ? "no-" : ""}reject-repeats`}
        >
          {partner.reject_repeats ? "Refused" : "Accepted, as a new order"}
        </Setting>
        <Setting
          label="Told of orders that fail"
          command={`${set} --${partner.failure_events ? "no-" : ""}failure-events`}
        >
          {partner.failure_events ? "Yes" : "No, of tickets alone"}
        </Setting>
        <Setting label="An outage may hold its orders" command={`${set} --hold-limit 3600`}>
          {hold === null
            ? "As long as the configuration says"
            : hold === 0
              ? "Not at all"
              : `For ${span(hold)}`}
        </Setting>
        <Setting label="Added">
          <Time at={partner.created_at} />
        </Setting>
      </dl>
    </Panel>
  );
}

interface SettingProps {
  readonly label: string;
  readonly command?: string;
  readonly children: ReactNode;
}

function Setting({ label, command, children }: SettingProps) {
  return (
    <div className="px-3 py-1.5">
      <dt className="text-xs text-ink-3">{label}</dt>
      <dd className="wrap-anywhere">{children}</dd>
      {command !== undefined && (
        <dd className="text-ink-3">
          <Copyable text={command} what="command" />
        </dd>
      )}
    </div>
  );
}

function Names({ of, none }: { readonly of: readonly string[] | null; readonly none: string }) {
  if (of === null) return none;
  if (of.length === 0) return "None";
  return (
    <ul className="max-h-40 overflow-y-auto font-mono text-xs leading-5">
      {of.map((name) => (
        <li key={name}>{name}</li>
      ))}
    </ul>
  );
}

interface RotationProps {
  readonly until: string | null;
  /** Where nothing is being replaced. */
  readonly whole: string;
  readonly children: string;
}

function Rotation({ until, whole, children }: RotationProps) {
  if (until === null) return whole;
  return (
    <>
      {children} <Time at={until} />
    </>
  );
}
