/** What is told of jobs that end while their page is open. Pure. */

const NEWS = ["complete", "complete_with_errors", "failed"]; // who canceled knows

/** Return when the latest job of a state ended; empty where none has. */
export function lastEnd({ ends }) {
  return ends.reduce((last, { endedAt }) => (endedAt > last ? endedAt : last), "");
}

/** Return the jobs that ended, or ended again, since `before`: what `lastEnd` said of an earlier state. */
export function endedSince(before, { ends }) {
  return ends.filter(({ status, endedAt }) => NEWS.includes(status) && endedAt > before);
}

/** Say how a job ended. */
export function outcomeOf({ files, complete, failed }, words) {
  if (complete === files) return words.count("all-transcribed", complete);
  return words.say("summary", { complete, files: words.count("files", files), failed });
}

/** Return the page's title: how far what runs is (percent, null where nothing does) in front of its own. */
export function titleOf(percent, own, words) {
  return percent === null ? own : `${words.say("percent", { percent: Math.floor(percent) })} · ${own}`;
}
