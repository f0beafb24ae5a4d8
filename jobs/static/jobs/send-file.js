/** One file, one request: XMLHttpRequest, because fetch tells nothing of how much has been sent. */

import { HttpProblem, csrfToken, problemOf } from "../bulktranscribe/http.js";

/** Return `{ done, abort }`: `done` resolves to the server's answer or rejects with an HttpProblem. */
export function sendFile(url, file, onProgress) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded));
    request.addEventListener("load", () => {
      if (request.status === 200) resolve(JSON.parse(request.responseText));
      else reject(problemOf(request.status, request.responseText));
    });
    for (const failure of ["error", "abort", "timeout"]) {
      request.addEventListener(failure, () => reject(new HttpProblem(0)));
    }
  });
  const body = new FormData();
  body.append("files", file, file.name);
  request.open("POST", url);
  request.setRequestHeader("X-CSRFToken", csrfToken());
  request.setRequestHeader("Accept", "application/json");
  request.send(body);
  return { done, abort: () => request.abort() };
}
