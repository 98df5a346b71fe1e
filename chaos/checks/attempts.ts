import type { AttemptEvidence, Evidence, LegEvidence } from "../evidence.ts";
import type { RecordedRequest } from "../recording.ts";
import { ATTEMPTS_IN_RUN, DEADLINE_MS, LEASE_MS } from "../settings.ts";
import { eachLeg, invariant, type Invariant } from "./invariant.ts";

/** Every request is on record, and every record has its request. */
export function checkAttempts(evidence: Evidence): Invariant[] {
  const { strayRequests, faultLog, incarnations, circuitsOpened } = evidence;
  const pathOf = ({ request }: AttemptEvidence): string | null =>
    request?.leg === "ticketing" ? request.path : null;
  const excused = (attempt: AttemptEvidence): boolean => {
    const { row, until } = attempt;
    return (
      faultLog.during(row.at, until, ["kill"], pathOf(attempt)) ||
      faultLog.during(row.at, until, ["stop", "database"])
    );
  };

  return [
    invariant("no request for an order that does not exist", (tell) => {
      for (const { no, leg, traceId, path, headers } of strayRequests)
        tell(null, `${leg} request ${no} of trace ${traceId}: ${path} ${JSON.stringify(headers)}`);
      tell(null, null);
    }),
    eachLeg("each request has its attempt row, and each row at most one request", evidence, (leg, tell) => {
      for (const { no } of leg.requests) {
        tell(leg.unaccounted.some((each) => each.no === no) && `${leg.leg} request ${no} is on no record`);
      }
    }),
    eachLeg("an answer on record was given, by one request with this status", evidence, (leg, tell) => {
      const used = new Set<RecordedRequest>();
      for (const { row, late, request } of leg.attempts) {
        const { code, error } = late ?? row;
        if (code === null) continue;
        const twice = request !== null && used.has(request);
        if (request) used.add(request);
        const whole = error !== null || leg.leg === "callback" || request?.answeredAt !== null;
        tell(
          (twice || request?.status !== code || !whole) &&
            `${leg.leg} attempt ${row.no} says ${code}, request ${request?.no} said ${request?.status}`,
        );
      }
    }),
    eachLeg("a second whole 2xx of ticketing only after a deadline or fault", evidence, (leg, tell) => {
      if (leg.leg !== "ticketing") return;
      const bought = leg.attempts.filter(({ request }) => request?.status === 200 && request.whole);
      tell(null);
      for (const attempt of bought.slice(0, -1)) {
        const { row } = attempt;
        const tooLate = row.error === "timeout" && (row.duration_ms ?? 0) >= DEADLINE_MS - 5;
        tell(!tooLate && !excused(attempt) && `attempt ${row.no} had its 2xx, and another followed`);
      }
    }),
    eachLeg("lost attempts only where a fault met an open claim", evidence, (leg, tell) => {
      for (const attempt of leg.attempts) {
        const { row } = attempt;
        if (row.error === "lost")
          tell(!excused(attempt) && `${leg.leg} attempt ${row.no} was lost by nothing`);
        else tell(null);
      }
    }),
    eachLeg("a late result belongs to a lost attempt", evidence, (leg, tell) => {
      for (const { no } of leg.strayLate)
        tell(`${leg.leg}: a late result of attempt ${no}, which has no such row`);
      for (const { row, late } of leg.attempts) {
        if (late) tell(row.error !== "lost" && `${leg.leg} attempt ${row.no} is ${row.error} and late`);
      }
    }),
    eachLeg("what a living process heard late is kept", evidence, (leg, tell) => {
      for (const { row, late, request } of leg.attempts) {
        if (row.error !== "lost" || leg.leg !== "ticketing" || request === null) continue;
        if (livedOn(request.path, row.at)) {
          tell(late === null && `attempt ${row.no}: ${request.path} lived on, but told nothing of it`);
        }
      }
    }),
    eachLeg(
      "requests of one job do not overlap, but for processes that stood still",
      evidence,
      (leg, tell) => {
        const requests = leg.requests.toSorted((a, b) => a.startedAt - b.startedAt);
        for (let index = 1; index < requests.length; index += 1) {
          const [one, next] = [requests[index - 1]!, requests[index]!];
          const overlap = endOf(one) > next.startedAt && !isSeenLate(leg, one, next);
          const stood = [one, next].some(({ startedAt, path }) => {
            const begun = Math.min(
              startedAt,
              ...leg.attempts.map(({ row, request }) => (request?.no === one.no ? row.at : startedAt)),
            );
            return faultLog.during(begun, next.startedAt, ["stop"], leg.leg === "ticketing" ? path : null);
          });
          tell(
            overlap &&
              !stood &&
              `${leg.leg} request ${next.no} began ${endOf(one) - next.startedAt} ms before ${one.no} ended`,
          );
        }
      },
    ),
    eachLeg("attempts are numbered 1..n, and a run keeps to the schedule", evidence, (leg, tell) => {
      const numbers = leg.attempts.map(({ row }) => row.no);
      tell(numbers.some((no, index) => no !== index + 1) && `${leg.leg} attempts ${numbers.join(", ")}`);
      for (const job of leg.jobs) {
        tell(
          job.attempts !== numbers.length && `${leg.leg} job counts ${job.attempts}, rows ${numbers.length}`,
        );
        const tooMany =
          job.run_attempts > ATTEMPTS_IN_RUN || (circuitsOpened === 0 && numbers.length > ATTEMPTS_IN_RUN);
        tell(tooMany && `${leg.leg}: ${numbers.length} attempts, ${job.run_attempts} in the run`);
      }
    }),
    eachLeg("attempts begin one after the other", evidence, (leg, tell) => {
      for (const { row, until } of leg.attempts) {
        const end = row.error === "lost" ? row.at : row.at + (row.duration_ms ?? 0);
        tell(end > until + 5 && `${leg.leg} attempt ${row.no + 1} began before ${row.no} ended`);
      }
    }),
  ];

  /** Whether a process had the time to settle an attempt, once all faults that kept it from that were over. */
  function livedOn(path: string, from: number): boolean {
    const concerning = faultLog.faults.filter((fault) => (fault.path ?? path) === path);
    let over = from + LEASE_MS;
    for (const fault of concerning.toSorted((a, b) => a.from - b.from)) {
      if (fault.from <= over + SETTLING_MS && fault.to > over) over = fault.to;
    }
    return (incarnations.find((each) => each.path === path)?.endedAt ?? 0) > over + SETTLING_MS;
  }
}

const SETTLING_MS = 2_000;
const SEEN_LATE_MS = 50;

/**
 * The recorder sees a connection close when its turn comes, and in no set order with a new request. So a request that we
 * cut has ended when its row says so, if that is before the next attempt began, and the close is seen right after.
 */
function isSeenLate(leg: LegEvidence, one: RecordedRequest, next: RecordedRequest): boolean {
  const [cut, later] = [one, next].map(
    ({ no }) => leg.attempts.find(({ request }) => request?.no === no)?.row,
  );
  if (one.whole || !cut || !later || cut.error === "lost" || cut.duration_ms === null) return false;
  return cut.at + cut.duration_ms <= later.at && endOf(one) - next.startedAt <= SEEN_LATE_MS;
}

/** Our side cuts a request at its deadline, whatever the other side still sees. */
function endOf(request: RecordedRequest): number {
  if (request.whole) return request.answeredAt!;
  return Math.min(request.closedAt ?? Number.POSITIVE_INFINITY, request.startedAt + DEADLINE_MS);
}
