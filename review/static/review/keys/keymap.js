/** Every command of the transcript page with its keys: the one table behind the bindings, the help and the settings.
 *
 * A command has an `id`, which is its sentence's key too ("key.<id>"), what the page does (`command`, with `seconds`,
 * `step`, `digit` …), where it is heard and its default `keys`. Keys are physical codes, "Ctrl+Alt+Shift+KeyN".
 */

export const EVERYWHERE = "everywhere"; // also while writing in a field
export const READING = "reading"; // not in fields, nor on buttons and links that take the key themselves
export const WRITING = "writing"; // only in the text of a segment

const DIGITS = [1, 2, 3, 4, 5, 6, 7, 8, 9];

const command = (id, where, keys, does = {}) => ({ id, command: id, where, keys, ...does });

const PLAYING = [
  command("toggle", EVERYWHERE, ["Ctrl+Space", "Escape"]),
  command("toggle-reading", READING, ["Space"], { command: "toggle" }),
  command("hold-to-play", EVERYWHERE, ["F14"]), // a foot pedal: as long as it is down
  command("skip-back", EVERYWHERE, ["Alt+ArrowLeft", "F13"], { command: "skip", seconds: -2 }),
  command("skip-forward", EVERYWHERE, ["Alt+ArrowRight", "F15"], { command: "skip", seconds: 2 }),
  command("skip-far-back", EVERYWHERE, ["Alt+Shift+ArrowLeft"], { command: "skip", seconds: -10 }),
  command("skip-far-forward", EVERYWHERE, ["Alt+Shift+ArrowRight"], { command: "skip", seconds: 10 }),
  command("play-previous", EVERYWHERE, ["Alt+ArrowUp"], { command: "play-segment", step: -1 }),
  command("play-next", EVERYWHERE, ["Alt+ArrowDown"], { command: "play-segment", step: 1 }),
  command("slower", EVERYWHERE, ["Alt+Minus"], { command: "speed", step: -1 }),
  command("faster", EVERYWHERE, ["Alt+Equal"], { command: "speed", step: 1 }),
];

const MOVING = [
  command("previous-segment", READING, ["BracketLeft"], { command: "go-segment", step: -1 }),
  command("next-segment", READING, ["BracketRight"], { command: "go-segment", step: 1 }),
  command("next-doubtful", EVERYWHERE, ["Alt+KeyN"], { command: "go-doubtful", step: 1 }),
  command("previous-doubtful", EVERYWHERE, ["Alt+Shift+KeyN"], { command: "go-doubtful", step: -1 }),
  command("find", EVERYWHERE, ["Ctrl+KeyF"]),
  command("find-next", EVERYWHERE, ["F3", "Ctrl+KeyG"], { command: "find-step", step: 1, onlyWhileFinding: true }),
  command("find-previous", EVERYWHERE, ["Shift+F3", "Ctrl+Shift+KeyG"], { command: "find-step", step: -1, onlyWhileFinding: true }),
  command("replace", EVERYWHERE, ["Ctrl+KeyH"]),
  command("details", EVERYWHERE, ["Alt+KeyI"]), // Alt+D is the address bar's
  command("help", READING, ["Shift+Slash", "?"]),
];

const EDITING = [
  command("edit", READING, ["KeyE"]),
  command("split", WRITING, ["Enter"]),
  command("new-line", WRITING, ["Shift+Enter"]),
  command("merge-up", WRITING, ["Backspace"], { onlyAtStart: true }), // with Ctrl or Alt it is heard anywhere
  command("undo", EVERYWHERE, ["Ctrl+KeyZ"]),
  command("redo", EVERYWHERE, ["Ctrl+Shift+KeyZ", "Ctrl+KeyY"]),
  command("fine", EVERYWHERE, ["Alt+KeyM"]),
  command("highlight", READING, ["KeyH"]),
  command("delete", READING, ["Delete"]),
  command("segment-done", EVERYWHERE, ["Ctrl+Enter"]),
  command("file-done", EVERYWHERE, ["Ctrl+Shift+Enter"]),
  command("next-file", EVERYWHERE, ["Alt+PageDown"]),
];

const SPEAKERS = DIGITS.flatMap((digit) => [
  speaker(digit, READING, "speaker", `Digit${digit}`, "one"),
  speaker(digit, READING, "speaker-run", `Shift+Digit${digit}`, "run"),
  speaker(digit, WRITING, "speaker-writing", `Alt+Digit${digit}`, "one"),
  speaker(digit, WRITING, "speaker-run-writing", `Alt+Shift+Digit${digit}`, "run"),
]);

function speaker(digit, where, name, keys, scope) {
  return { id: `${name}-${digit}`, words: `key.${name}`, command: "speaker", where, keys: [keys], digit, scope };
}

const GROUPS = { playing: PLAYING, moving: MOVING, editing: EDITING, speakers: SPEAKERS };

export const COMMANDS = Object.entries(GROUPS).flatMap(([group, entries]) =>
  entries.map((entry) => ({ group, words: `key.${entry.id}`, ...entry })),
);

/** What differs from the defaults, for people whose hands know another program. */
export const PRESETS = {
  default: {},
  otranscribe: {
    toggle: ["Escape", "Ctrl+Space"],
    "skip-back": ["F1", "Ctrl+Digit1", "F13"],
    "skip-forward": ["F2", "Ctrl+Digit2", "F15"],
    slower: ["F3", "Ctrl+Digit3"],
    faster: ["F4", "Ctrl+Digit4"],
    "find-next": ["Ctrl+KeyG"],
  },
  // Of version 4 and of 5, where they do not contradict. A new line is Enter in its text box.
  "subtitle-edit": {
    toggle: ["Ctrl+KeyP", "Ctrl+Space", "Escape"],
    "skip-back": ["Alt+ArrowLeft", "F7", "F13"],
    "play-next": ["Alt+ArrowDown", "Shift+Enter"],
    "next-doubtful": ["F8", "Alt+KeyN"],
    "previous-doubtful": ["Shift+F8", "Alt+Shift+KeyN"],
    split: ["Ctrl+Alt+KeyV"],
    "new-line": ["Enter"],
    "merge-up": ["Ctrl+Shift+KeyM", "Backspace"],
    redo: ["Ctrl+KeyY", "Ctrl+Shift+KeyZ"],
  },
};
