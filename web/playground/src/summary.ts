import { fieldsOf } from "./json";

/** How much of a message's text the line shows, in characters; the whole is in the JSON below it. */
const TEXT_LENGTH = 200;

type Fields = Record<string, unknown>;

const SENTENCES: Record<string, (event: Fields) => string | undefined> = {
  RegisteredUpdate: (event) => `${name(event.person)} joined`,
  SignedInUpdate: (event) => `signed in: ${event.device ?? "a device"}`,
  SignedOutUpdate: () => "signed out: a device",
  FriendRequestedUpdate: (event) => `${name(event.from)} asks ${name(event.to)} to be friends`,
  FriendConfirmedUpdate: (event) => `${name(event.by)} agreed: friends with ${name(event.from)}`,
  ConversationStartedUpdate: (event) => `conversation opened: ${names(event.members)}`,
  MemberJoinedUpdate: (event) => `${name(event.member)} joined the group, let in by ${name(event.by)}`,
  MemberLeftUpdate: (event) => `${name(event.member)} left the group`,
  MemberRemovedUpdate: (event) => `${name(event.by)} put ${name(event.member)} out of the group`,
  ManagerAppointedUpdate: (event) => `${name(event.member)} is a manager of the group`,
  ManagerDismissedUpdate: (event) => `${name(event.member)} is a manager of the group no more`,
  OwnershipTransferredUpdate: (event) => `${name(event.from)} handed the group over to ${name(event.to)}`,
  GroupRenamedUpdate: (event) => `${name(event.by)} named the group ${clipped(event.name)}`,
  GroupDissolvedUpdate: (event) => `${name(event.by)} dissolved the group`,
  MessageSentUpdate: (event) => {
    const { number, sender, content } = fieldsOf(event.message);
    return number === undefined ? undefined : `#${number} ${name(sender)}: ${clipped(fieldsOf(content).text)}`;
  },
};

/** One line for people about an update, or nothing when the result says too little for one. */
export function summary(body: unknown): string | undefined {
  const event = fieldsOf(fieldsOf(fieldsOf(fieldsOf(body).data).updates).event);
  return SENTENCES[String(event.__typename)]?.(event);
}

/** An id in a result, with what it is the id of. */
export interface NamedId {
  label: string;
  id: string;
}

/** Every id in a result, each once: what the next operation will want pasted. */
export function namedIds(body: unknown): NamedId[] {
  const found = new Map<string, string>();
  collect(body, "id", found);
  return [...found].map(([id, label]) => ({ label, id }));
}

function collect(value: unknown, parent: string, found: Map<string, string>): void {
  const fields = fieldsOf(value);
  for (const [key, inner] of Object.entries(fields)) {
    if (typeof inner === "object") {
      collect(inner, Array.isArray(value) ? parent : key, found);
    } else if (typeof inner === "string" && /(^id|Id)$/.test(key) && !found.has(inner)) {
      found.set(inner, key === "id" ? String(fields.userName ?? parent) : key);
    }
  }
}

function name(person: unknown): string {
  const { userName } = fieldsOf(person);
  if (userName === null) return "(erased)";
  return userName === undefined ? "somebody" : String(userName);
}

function names(people: unknown): string {
  return Array.isArray(people) ? people.map(name).join(", ") : "";
}

function clipped(text: unknown): string {
  if (text === null) return "(erased)";
  const line = String(text ?? "").replace(/\s+/g, " ");
  const characters = [...line];
  return characters.length > TEXT_LENGTH ? `${characters.slice(0, TEXT_LENGTH).join("")}…` : line;
}
