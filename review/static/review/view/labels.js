/** What segments and speakers are called on the page. Pure. */

/** Why somebody should look at a row, in words; a newer worker may have reasons that this page has no sentence for. */
export function reasonsOf({ flags }, words) {
  const open = flags.filter((flag) => !flag.dismissed);
  return open.map(({ kind }) => (words.knows(`flag-${kind}`) ? words.say(`flag-${kind}`) : words.say("flag", { kind })));
}

export function nameOf(speaker) {
  return speaker.name || speaker.label;
}
