/** Where queries and mutations go: always the origin that served this page. */
export const HTTP_ENDPOINT = "/graphql";

/** Where subscriptions go: same origin, encrypted exactly when the page is. */
export function socketEndpoint(page: Location): string {
  const scheme = page.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${page.host}/graphql/ws`;
}
