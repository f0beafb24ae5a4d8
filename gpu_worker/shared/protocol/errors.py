"""The closed list of failure codes of both services, with texts for people."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorText:
    """What a person reads: one sentence of what happened and one of what to do."""

    sentence: str
    hint: str


# The closed list of failure codes, of both services.
ERRORS: dict[str, ErrorText] = {
    "INPUT_UNDECODABLE": ErrorText(
        "This file has no readable audio.",
        "Check that it plays on your computer, convert it to WAV, MP3, M4A, or FLAC, and upload it again.",
    ),
    "INPUT_TOO_LARGE": ErrorText(
        "This file is larger than the worker accepts.",
        "Raise WORKER_MAX_FILE_MB on the worker, or split the recording.",
    ),
    "INPUT_TOO_LONG": ErrorText(
        "This recording is longer than 12 hours.", "Split the recording and upload the parts."
    ),
    "CHECKSUM_MISMATCH": ErrorText(
        "The file arrived at the worker damaged, twice.",
        "Retry. If it happens again, check the network between the controller and the worker.",
    ),
    "DOWNLOAD_FAILED": ErrorText(
        "The worker could not fetch the file from the controller.",
        "Check that CONTROLLER_BASE_URL is a URL that the worker can reach, then retry.",
    ),
    "MODEL_UNAVAILABLE": ErrorText(
        "The worker does not have this speech model and could not download it.",
        "Choose a model that the worker offers, or put the model file into its model folder, then retry.",
    ),
    "DIARIZATION_UNAVAILABLE": ErrorText(
        "This worker cannot identify speakers.",
        "Turn speaker detection off, or install its weights on the worker, then retry.",
    ),
    "OUT_OF_MEMORY": ErrorText(
        "The worker ran out of memory.", "Choose a smaller model or a larger machine, then retry."
    ),
    "ENGINE_CRASHED": ErrorText(
        "The transcription process on the worker stopped unexpectedly.",
        "Retry. If it happens again with the same file, check the worker's log.",
    ),
    "WORKER_DISK_FULL": ErrorText(
        "The worker has no free disk space.", "Free space in WORKER_TMP_DIR on the worker, then retry."
    ),
    "CANCELED": ErrorText("Canceled.", "Retry starts it again."),
    "PROCESSING_ERROR": ErrorText(
        "The worker encountered an unexpected error.", "Retry. The worker's log has the details."
    ),
    "INVALID_REQUEST": ErrorText(
        "The worker did not understand the job.", "Update the worker and the controller to the same version."
    ),
    "PROTOCOL_MISMATCH": ErrorText(
        "The worker and the controller use different versions of the protocol.",
        "Update the worker and the controller to the same version.",
    ),
    "UNKNOWN_MODEL": ErrorText("There is no speech model with this name.", "Choose a model from the list."),
    "ORIGIN_REFUSED": ErrorText(
        "The worker serves another controller.",
        "Set CONTROLLER_ORIGIN on the worker to this controller's address, or restart the worker.",
    ),
    "REMOTE_JOB_NOT_FOUND": ErrorText(
        "Remote worker restarted or job expired; please retry.",
        "Nothing is lost: the recording is still here. Retry sends it again.",
    ),
    "REMOTE_REFUSED": ErrorText(
        "The worker refused this job.", "The details say why; change the job's options and retry."
    ),
    "REMOTE_AUTH_FAILED": ErrorText(
        "The worker does not accept the controller's token.",
        "Set the same token on both sides (REMOTE_WORKER_TOKEN and WORKER_TOKEN), then retry.",
    ),
    "REMOTE_DISPATCH_TIMEOUT": ErrorText(
        "The worker did not respond when the file was dispatched.",
        "Check that the worker is running and reachable, then retry.",
    ),
    "REMOTE_LEASE_EXPIRED": ErrorText(
        "The worker could no longer be reached.", "Check the machine and its network, then retry."
    ),
    "REMOTE_TIMEOUT": ErrorText(
        "The transcription took longer than allowed.",
        "Raise REMOTE_WORKER_TIMEOUT_SECONDS or use a faster worker, then retry.",
    ),
    "REMOTE_OUTPUTS_MISSING": ErrorText(
        "The worker finished but its transcript did not arrive.",
        "Check that the worker can reach CONTROLLER_BASE_URL, then retry.",
    ),
    "UPLOAD_MISSING": ErrorText(
        "The recording is no longer on the controller's disk.", "Upload the file again."
    ),
    "RESULT_UNREADABLE": ErrorText(
        "The worker sent a transcript that cannot be read.",
        "Update the worker and the controller to the same version, then retry.",
    ),
}
