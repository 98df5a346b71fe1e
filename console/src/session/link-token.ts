/** Names of this machine: only their links may bring a token along, as it stays on the machine then. */
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/**
 * The token that the link of `serve --dev` brings in its fragment, which no server ever sees. It is taken out of the address at
 * once, so that it stands in no history and no copied link.
 */
export function takeLinkToken(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return null;
  history.replaceState(history.state, "", location.pathname + location.search);
  return LOOPBACK.test(location.hostname) ? token : null;
}

/** The link pasted into a page that is open already: only its fragment changes, and the page begins anew. */
export function followLinkTokens(): void {
  addEventListener("hashchange", () => {
    if (location.hash.startsWith("#token=")) location.reload();
  });
}
