const WIDE = "hidden lg:table-cell";
const MIDDLE = "hidden md:table-cell";

/** Widths, and which columns give way on narrower screens. */
export const CELLS = {
  mark: "w-9",
  status: "w-44",
  partner: `w-28 ${MIDDLE}`,
  order: "",
  visit: "w-30",
  items: `w-14 text-end ${WIDE}`,
  total: `w-32 text-end ${WIDE}`,
  tickets: `w-16 text-end ${MIDDLE}`,
  attempt: "w-18 text-end",
  next: "w-28 ps-4",
  error: `w-32 ${WIDE}`,
  age: "w-20 text-end",
} as const;

export const COLUMNS = {
  status: "Status",
  partner: "Partner",
  order: "External id",
  visit: "Visit",
  items: "Items",
  total: "Total",
  tickets: "Tickets",
  attempt: "Attempt",
  next: "Next try",
  error: "Last error",
  age: "Age",
} as const;
