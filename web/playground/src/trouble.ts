import { fieldsOf } from "./json";
import { SIGNED_OUT } from "./socket";

const WORDS: Record<string, string> = {
  UNAUTHENTICATED: "Nobody is signed in: press “Use new token” or fill in the token, then watch again. · 尚未登录：请先填入令牌。",
  POSITION_AHEAD:
    "The server's log ends before the last position seen (it was restored from a backup): the position is forgotten, the watch goes on from now. · 服务器日志已回退，从现在起重新关注。",
  SERVICE_UNAVAILABLE: "The server is catching up; trying again. · 服务器正在追赶进度，稍后重试。",
  SLOW_CONSUMER: "This page took updates in too slowly; going on behind the last position. · 接收过慢，将从上次的位置继续。",
};

/** The code of the first GraphQL error in what ended a subscription, or an empty string. */
export function errorCode(reason: unknown): string {
  const first: unknown = Array.isArray(reason) ? reason[0] : undefined;
  return String(fieldsOf(fieldsOf(first).extensions).code ?? "");
}

/** What ended a subscription, for people: a list of GraphQL errors, a closed socket or a fault of the page. */
export function inWords(reason: unknown): string {
  if (Array.isArray(reason)) {
    return WORDS[errorCode(reason)] ?? reason.map((error) => String(fieldsOf(error).message)).join("; ");
  }
  if (reason instanceof Error) return reason.message;
  const { code, reason: text } = fieldsOf(reason);
  if (code === SIGNED_OUT) {
    return "The token is unknown or expired, or was signed out: sign in, then watch again. · 令牌无效或已退出：请重新登录。";
  }
  return `The socket was closed for good (${String(code ?? "no code")} ${String(text ?? "")}).`;
}
