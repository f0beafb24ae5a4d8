"""The forms of the session pages."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gpu_worker.shared.protocol import LANGUAGES, WHISPER_MODELS, Options
from jobs import filters
from jobs.models import Job, Session, Upload
from jobs.ports import worker_capabilities

SPEAKER_CHOICES = [
    ("auto", _("Identify speakers")),
    ("exact", _("Exact number of speakers")),
    ("between", _("Range of speakers")),
    ("none", _("Do not identify speakers")),
]
SPEAKERS = tuple(value for value, _label in SPEAKER_CHOICES)
COUNTS_OF = {"exact": ("num_speakers",), "between": ("min_speakers", "max_speakers")}
SPEAKER_COUNTS = tuple(name for names in COUNTS_OF.values() for name in names)
TASK_CHOICES = [("transcribe", _("Original language")), ("translate", _("English (translated)"))]
DOUBT_CHOICES = [
    (0.25, _("Fewer: only the least certain")),
    (0.5, _("Standard")),
    (0.75, _("More: anything questionable")),
]
PLAIN_OPTIONS = ("task", "hotwords", "initial_prompt", "hallucination_sensitivity", "vad_enabled")


class SessionForm(forms.ModelForm[Session]):
    class Meta:
        model = Session
        fields = ("name",)

    def rename(self) -> Session:
        """Write only the name, to keep concurrent changes."""
        return _write(self.instance, "name")


class RetentionForm(forms.ModelForm[Session]):
    class Meta:
        model = Session
        fields = ("retention_days",)

    def keep(self) -> Session:
        """Write only the retention."""
        return _write(self.instance, "retention_days")


def _write(session: Session, field: str) -> Session:
    session.touched_at = timezone.now()
    session.save(update_fields=[field, "touched_at"])
    return session


class JobForm(forms.Form):
    """What to transcribe and how."""

    uploads = forms.ModelMultipleChoiceField(
        Upload.objects.none(), widget=forms.CheckboxSelectMultiple, label=_("Files"), required=False
    )
    all_new = forms.BooleanField(label=_("All new files"), required=False)
    files_of = forms.ModelChoiceField(Job.objects.none(), widget=forms.HiddenInput, required=False)
    model = forms.ChoiceField(label=_("Model"))
    language = forms.ChoiceField(label=_("Language"), required=False)
    speakers = forms.ChoiceField(label=_("Speakers"), choices=SPEAKER_CHOICES, required=False)
    num_speakers = forms.IntegerField(
        label=_("Number of speakers"), min_value=1, max_value=100, required=False
    )
    min_speakers = forms.IntegerField(label=_("Minimum speakers"), min_value=1, max_value=100, required=False)
    max_speakers = forms.IntegerField(label=_("Maximum speakers"), min_value=1, max_value=100, required=False)
    use_remote = forms.BooleanField(label=_("Run on GPU"), required=False)
    task = forms.ChoiceField(label=_("Output language"), choices=TASK_CHOICES, required=False)
    hotwords = forms.CharField(
        label=_("Vocabulary"),
        help_text=_(
            "Names and uncommon words, separated by commas: Anna Kowalczyk, Blackwater mill, ledger."
        ),
        max_length=2000,
        required=False,
    )
    initial_prompt = forms.CharField(
        label=_("Context"),
        help_text=_("A sentence or two about the recording, in its language."),
        max_length=2000,
        required=False,
    )
    hallucination_sensitivity = forms.TypedChoiceField(
        label=_("Flag uncertain segments"), choices=DOUBT_CHOICES, coerce=float, required=False, initial=0.5
    )
    vad_enabled = forms.BooleanField(label=_("Skip silence (voice detection)"), required=False, initial=True)

    def __init__(self, session: Session, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer = worker_capabilities.current()
        uploads = cast(forms.ModelMultipleChoiceField[Upload], self.fields["uploads"])
        uploads.queryset = session.uploads.filter(deleted_at=None)
        files_of = cast(forms.ModelChoiceField[Job], self.fields["files_of"])
        files_of.queryset = session.jobs.filter(deleted_at=None)
        model = cast(forms.ChoiceField, self.fields["model"])
        model.choices = model_choices(offer)
        model.initial = worker_capabilities.usual_model()
        self.fields["speakers"].initial = "auto"
        if not offer.tells_speakers:
            self.initial["speakers"] = "none"
        language = cast(forms.ChoiceField, self.fields["language"])
        language.choices = [("", _("Auto-detect")), *LANGUAGES.items()]
        if not offer.has_toggle:
            del self.fields["use_remote"]

    @property
    def chosen_uploads(self) -> set[str] | None:
        """Return the ids of the files that are initially checked; None means all new files."""
        chosen = self["uploads"].value()
        return {str(value) for value in chosen or []} if self.is_bound or chosen else None

    def wanted(self, session: Session) -> list[Upload]:
        """Return the chosen files; call after is_valid."""
        chosen = self.cleaned_data
        return filters.wanted(
            session, list(chosen["uploads"]), all_new=chosen["all_new"], files_of=chosen["files_of"]
        )

    def options(self) -> Options:
        """Return the chosen options; call after is_valid."""
        return job_options(self.cleaned_data)


def choices_of(job: Job) -> dict[str, Any]:
    """Return a job's options as the form's initial values."""
    options = job.worker_options()
    if not options.diarization_enabled:
        speakers = "none"
    elif options.num_speakers:
        speakers = "exact"
    else:
        speakers = "between" if options.min_speakers or options.max_speakers else "auto"
    plain = (*SPEAKER_COUNTS, *PLAIN_OPTIONS, "model", "language")
    return {
        "speakers": speakers,
        "use_remote": job.use_remote,
        **{name: getattr(options, name) for name in plain},
    }


def last_choices(person: User) -> dict[str, Any]:
    """Return the options that a user chose last, in any session; empty if there are none."""
    latest = Job.objects.filter(created_by=person).order_by("-created_at").first()
    return choices_of(latest) if latest else {}


def job_options(chosen: Mapping[str, Any]) -> Options:
    """Return the options for the form's values, using only the counts that apply to `speakers`."""
    speakers = chosen["speakers"] or "auto"
    kept = COUNTS_OF.get(speakers, ())
    return Options(
        model=chosen["model"],
        language=chosen["language"] or "",
        diarization_enabled=speakers != "none",
        **{name: chosen[name] for name in kept},
        **{name: value for name in PLAIN_OPTIONS if (value := chosen.get(name)) not in (None, "")},
    )


def model_choices(offer: worker_capabilities.Offer) -> list[tuple[str, Any]]:
    """Return the installed models first, then those that a worker can download."""
    others = [name for name in WHISPER_MODELS if name not in offer.models]
    at_hand = [(name, name) for name in offer.models]
    downloads = [(name, name) for name in others]
    if not at_hand:
        return downloads
    return [(str(_("Installed on the worker")), at_hand), (str(_("Downloaded on first use")), downloads)]
