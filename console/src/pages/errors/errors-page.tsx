import { Page } from "../../ui/page.tsx";

export function ErrorsPage() {
  return <Page title="Errors">Not written yet.</Page>;
}
