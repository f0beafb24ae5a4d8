"""Authenticated requests to one server; failures are one of two exceptions."""

from typing import Any

import requests

from bulktranscribe.cli.client import Refused, Unreachable

TIMEOUT_SECONDS = (
    10.0,
    120.0,
)  # to connect; between two bytes of an answer: a piece is written to the disk first
BUSY = (408, 423, 429)  # now; another time it may go, as after an error over there
FINAL = (501, 505, 507)  # it will not go another time: what is asked for is not there, or the disk is full


class Bearer(requests.auth.AuthBase):
    """Sends the token as a header. Implemented as `auth`, so that a .netrc cannot override it."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class HttpTransport:
    """Authenticated requests to one server; failures are one of two exceptions."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self._http = requests.Session()
        self._http.auth = Bearer(token)

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.close()

    def call(self, method: str, path: str, **content: Any) -> requests.Response:
        """Return the response if its status is 2xx. Raises Refused, Unreachable."""
        try:
            answer = self._http.request(
                method, self.url + path, timeout=TIMEOUT_SECONDS, allow_redirects=False, **content
            )
        except requests.ConnectionError as failure:
            raise Unreachable(f"{self.url} is unreachable.") from failure
        except requests.Timeout as failure:
            raise Unreachable(f"{self.url} is not responding.") from failure
        except requests.RequestException as failure:
            raise Unreachable(
                f"{self.url}: the response was interrupted ({type(failure).__name__})."
            ) from failure
        if answer.status_code in BUSY or (answer.status_code >= 500 and answer.status_code not in FINAL):
            raise Unreachable(f"{self.url} returned HTTP {answer.status_code}.")
        if not answer.ok or answer.is_redirect:
            raise Refused(*self._problem(answer))
        return answer

    def json(self, method: str, path: str, **content: Any) -> Any:
        """Return the JSON of the response. Raises Refused, Unreachable."""
        answer = self.call(method, path, **content)
        if "json" not in _type(answer):
            raise Refused(
                "NO_API", f"{self.url} is not a Bulk Transcribe server: {path} did not return JSON."
            )
        return answer.json()

    def _problem(self, answer: requests.Response) -> tuple[str, str]:
        if answer.is_redirect:
            return (
                "REDIRECT",
                f"{self.url} redirects to {answer.headers['Location']}. Use that URL with --url.",
            )
        if answer.status_code == 401:
            return "NOT_SIGNED_IN", "The token is not valid. Create a new one under Settings → API tokens."
        try:
            error = answer.json()["error"]
            return str(error["code"]), str(error["message"])
        except (ValueError, KeyError, TypeError):
            return f"HTTP_{answer.status_code}", f"{self.url} returned HTTP {answer.status_code}."


def _type(answer: requests.Response) -> str:
    return answer.headers.get("Content-Type", "")
