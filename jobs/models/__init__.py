"""Models of `jobs`: sessions and files, jobs and inputs, notifications, tokens."""

from jobs.models.notifications import SENDING, Delivery, DeliveryStatus, MailChoice, NoticeEvent, Webhook
from jobs.models.people import ApiToken, Scope
from jobs.models.sessions import IncomingUpload, PlayableCopy, Session, Sound, Upload
from jobs.models.work import Job, JobEvent, JobInput, JobPreset, Priority, Result, ResultFile

__all__ = [
    "SENDING",
    "ApiToken",
    "Delivery",
    "DeliveryStatus",
    "IncomingUpload",
    "Job",
    "JobEvent",
    "JobInput",
    "JobPreset",
    "MailChoice",
    "NoticeEvent",
    "PlayableCopy",
    "Priority",
    "Result",
    "ResultFile",
    "Scope",
    "Session",
    "Sound",
    "Upload",
    "Webhook",
]
