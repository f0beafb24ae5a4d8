/** Sums over the review queue, as review/queue.py has them. Pure. */

/** Return the files with the present one as its page knows it. */
export function withPresent(files, id, own) {
  return files.map((file) => (file.id === id ? known(file, own) : file));
}

function known(file, own) {
  return { ...file, ...own, secondsLeft: own.reviewStatus === "done" ? 0 : own.secondsLeft };
}

/** Return `{ files, done, doubtful, seconds, statuses }`: the work, and what is left of it. `statuses` counts what is
 * listed: older versions are no work, but they are there to be found. */
export function totalsOf(files) {
  const totals = { files: 0, done: 0, doubtful: 0, seconds: 0, statuses: new Map() };
  for (const { isOlder, reviewStatus, doubtful, secondsLeft: left } of files) {
    totals.statuses.set(reviewStatus, (totals.statuses.get(reviewStatus) ?? 0) + 1);
    if (isOlder) continue;
    totals.files += 1;
    if (reviewStatus === "done") totals.done += 1;
    else totals.doubtful += doubtful;
    totals.seconds += left;
  }
  return totals;
}

/** Return how many seconds of the segments nobody has checked. */
export function secondsLeft(segments) {
  let seconds = 0;
  for (const { start, end, checked } of segments) if (!checked) seconds += end - start;
  return Math.round(seconds * 1000) / 1000;
}
