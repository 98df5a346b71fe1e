/** Where rows will stand in a moment. */
export function Skeleton({
  rows = 8,
  label = "Loading",
}: {
  readonly rows?: number;
  readonly label?: string;
}) {
  return (
    <div role="status" aria-label={label} className="animate-pulse">
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className="border-b border-line px-3 py-2.5">
          <div className="h-3.5 rounded bg-rest-soft" />
        </div>
      ))}
    </div>
  );
}
