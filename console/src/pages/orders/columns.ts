const FROM_MD = "hidden md:table-cell";
const FROM_LG = "hidden lg:table-cell";
const FROM_XL = "hidden xl:table-cell";

/** Widths, and which columns give way on narrower screens, so that at least 7.5 rem are left for the external id. */
export const CELLS = {
  mark: "w-9",
  status: "w-44",
  partner: `w-28 ${FROM_MD}`,
  order: "",
  visit: "w-30",
  items: `w-14 text-end ${FROM_XL}`,
  total: `w-32 text-end ${FROM_XL}`,
  tickets: "w-16 text-end",
  attempt: `w-18 text-end ${FROM_LG}`,
  next: `w-28 ps-4 ${FROM_LG}`,
  error: `w-32 ${FROM_XL}`,
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
