import * as Radix from "@radix-ui/react-dropdown-menu";
import type { ReactNode } from "react";

interface MenuProps {
  /** One button. */
  readonly trigger: ReactNode;
  readonly children: ReactNode;
  readonly defaultOpen?: boolean;
  /** Which edge of the trigger it keeps to. */
  readonly align?: "start" | "end";
}

export function Menu({ trigger, children, defaultOpen = false, align = "end" }: MenuProps) {
  return (
    // Not modal: it would add a style element to the page, and keep it from scrolling.
    <Radix.Root modal={false} defaultOpen={defaultOpen}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align={align}
          sideOffset={6}
          collisionPadding={8}
          className="z-50 min-w-48 rounded-md border border-line bg-raised p-1 shadow-raised"
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

const ITEM =
  "flex min-h-8 items-center gap-2 rounded px-2 text-sm text-ink outline-none select-none data-highlighted:bg-hover data-disabled:text-ink-3";

interface ItemProps {
  readonly onSelect: () => void;
  readonly children: ReactNode;
  readonly disabled?: boolean;
}

export function MenuItem({ onSelect, children, disabled = false }: ItemProps) {
  return (
    <Radix.Item onSelect={onSelect} disabled={disabled} className={`${ITEM} cursor-pointer`}>
      {children}
    </Radix.Item>
  );
}

interface ChoicesProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly values: Readonly<Record<T, string>>;
  readonly onChange: (value: T) => void;
}

/** One of a few, marked with a dot. */
export function MenuChoices<T extends string>({ label, value, values, onChange }: ChoicesProps<T>) {
  return (
    <Radix.RadioGroup value={value} onValueChange={(next) => onChange(next as T)}>
      <MenuLabel>{label}</MenuLabel>
      {Object.entries<string>(values).map(([key, word]) => (
        <Radix.RadioItem
          key={key}
          value={key}
          onSelect={(event) => event.preventDefault()}
          className={`${ITEM} cursor-pointer`}
        >
          <span className="grid size-3.5 place-items-center rounded-full border border-line-strong">
            <Radix.ItemIndicator className="size-1.5 rounded-full bg-accent" />
          </span>
          {word}
        </Radix.RadioItem>
      ))}
    </Radix.RadioGroup>
  );
}

export function MenuLabel({ children }: { readonly children: ReactNode }) {
  return <Radix.Label className="px-2 pt-2 pb-1 text-xs text-ink-3">{children}</Radix.Label>;
}

export function MenuLine() {
  return <Radix.Separator className="my-1 h-px bg-line" />;
}
