import type { ReactNode } from "react";
import type { PartnerWithStanding } from "../../api/types.ts";
import { span } from "../../format/time.ts";
import { count, counted } from "../../format/words.ts";
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
        <code className="wrap-anywhere">{set}</code> changes what is named below with an option, at once. A
        click copies the whole command.
      </p>
      <dl className="sm:max-lg:columns-2 sm:max-lg:gap-0">
        <Setting label="May send from" command={set} option="--cidr 203.0.113.0/24">
          <Names of={partner.allowlist_cidrs} none="Anywhere" />
        </Setting>
        <Setting label="Callback hosts" command={set} option="--callback-host '*.example.com'">
          <Names of={partner.callback_hosts} none="Any that the configuration allows" />
        </Setting>
        <Setting label="Rate limit" command={set} option="--rate-capacity 20 --rate-per-sec 5">
          {rate === null
            ? "The configuration's"
            : `${count(rate.capacity)} requests at once, then ${count(rate.per_sec ?? 0)} a second`}
        </Setting>
        <Setting
          label="An external id that it used before"
          command={set}
          option={partner.reject_repeats ? "--no-reject-repeats" : "--reject-repeats"}
        >
          {partner.reject_repeats ? "Refused" : "Accepted, as a new order"}
        </Setting>
        <Setting
          label="Told of orders that fail"
          command={set}
          option={partner.failure_events ? "--no-failure-events" : "--failure-events"}
        >
          {partner.failure_events ? "Yes" : "No, of tickets alone"}
        </Setting>
        <Setting label="An outage may hold its orders" command={set} option="--hold-limit 3600">
          {hold === null ? "As long as the configuration says" : `For ${span(hold)}`}
        </Setting>
        <Setting label="Token" command={`wavegate partner rotate ${id}`}>
          <Rotation until={partner.previous_token_valid_until} whole="One">
            Being replaced: the one before holds until
          </Rotation>
        </Setting>
        <Setting label="Signing secret" command={`wavegate partner secret ${id}`}>
          {partner.own_signing_secret ? "Its own" : "The one that partners share"}
          <Rotation until={partner.previous_signing_secret_valid_until} whole="">
            . The one before signs too, until
          </Rotation>
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
  /** Of the command, as an example; all that is shown of it then. */
  readonly option?: string;
  readonly children: ReactNode;
}

function Setting({ label, command, option, children }: SettingProps) {
  return (
    <div className="break-inside-avoid border-b border-line px-3 py-1.5 last:border-0">
      <dt className="text-xs text-ink-3">{label}</dt>
      <dd className="wrap-anywhere">{children}</dd>
      {command !== undefined && (
        <dd className="text-ink-3">
          <Copyable text={option === undefined ? command : `${command} ${option}`} what="command">
            {option ?? command}
          </Copyable>
        </dd>
      )}
    </div>
  );
}

/** More of them are shown when asked for. */
const FEW = 5;

function Names({ of, none }: { readonly of: readonly string[] | null; readonly none: string }) {
  if (of === null) return none;
  if (of.length === 0) return "None";
  return (
    <>
      <NameList names={of.slice(0, FEW)} />
      {of.length > FEW && (
        <details>
          <summary className="min-h-6 text-ink-2">{counted(of.length - FEW, "more", "more")}</summary>
          <NameList names={of.slice(FEW)} />
        </details>
      )}
    </>
  );
}

function NameList({ names }: { readonly names: readonly string[] }) {
  return (
    <ul className="font-mono text-xs leading-5">
      {names.map((name) => (
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
