/** What became of the files of a drop: of what kind, how many, in which order. Pure: no DOM, no network. */

/** Kinds of verdicts, what somebody may want to do something about first. */
const KINDS = ["refused", "unreadable", "silent", "duplicate", "looking", "accepted"];

/** Return the kind of a transfer that has ended. */
export function kindOf({ status, sound }) {
  if (status !== "done") return status;
  if (!sound) return "looking";
  if (sound.problem) return "unreadable";
  return sound.isSilent ? "silent" : "accepted";
}

/** Return transfers that have ended in the order of the table: by kind, then as they came. */
export function inOrder(transfers) {
  const place = new Map(KINDS.map((kind, at) => [kind, at]));
  return [...transfers].sort((one, other) => place.get(kindOf(one)) - place.get(kindOf(other)));
}

/** Say how many there are of each kind. */
export function captionOf(transfers, words) {
  const kinds = transfers.map(kindOf);
  const counts = [...KINDS].reverse().map((kind) => [kind, kinds.filter((each) => each === kind).length]);
  const said = counts.filter(([, n]) => n).map(([kind, n]) => words.say(`verdict-${kind}-n`, { n }));
  return `${words.count("files", transfers.length)}: ${said.join(", ")}`;
}

/** Say what became of one. */
export function verdictOf(transfer, words) {
  const kind = kindOf(transfer);
  if (kind === "refused") return transfer.error;
  if (kind === "duplicate") return words.say("verdict-duplicate", { name: isolated(transfer.duplicateOf) });
  if (kind === "unreadable" || kind === "silent") return transfer.sound.text;
  return words.say(`verdict-${kind}`);
}

/** Return how many seconds a recording has, and what it is made of; null and "" where that is not known. */
export function factsOf({ sound }, words) {
  if (!sound?.codec || sound.problem) return { seconds: null, made: "" };
  const channels = { 1: "mono", 2: "stereo" }[sound.channels];
  const said = channels ? words.say(channels) : words.count("channels", sound.channels);
  return { seconds: sound.seconds, made: `${sound.codec} · ${said}` };
}

/** A name in a sentence: its direction is its own. */
function isolated(name) {
  return `\u2068${name}\u2069`;
}
