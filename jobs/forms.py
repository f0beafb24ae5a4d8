"""The forms of the session pages."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from gpu_worker.protocol import LANGUAGES, WHISPER_MODELS, Options
from jobs import offers
from jobs.models import Job, Session, Upload

SPEAKER_CHOICES = [
    ("auto", _("Tell speakers apart")),
    ("exact", _("Exactly this many speakers")),
    ("between", _("Between")),
    ("none", _("Do not tell speakers apart")),
]


class SessionForm(forms.ModelForm[Session]):
    class Meta:
        model = Session
        fields = ("name",)


class JobForm(forms.Form):
    """What to transcribe and how."""

    uploads = forms.ModelMultipleChoiceField(
        Upload.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        label=_("Files"),
        error_messages={"required": _("Choose at least one file.")},
    )
    model = forms.ChoiceField(label=_("Model"))
    language = forms.ChoiceField(label=_("Language"), required=False)
    speakers = forms.ChoiceField(label=_("Speakers"), choices=SPEAKER_CHOICES, required=False)
    num_speakers = forms.IntegerField(label=_("How many"), min_value=1, max_value=100, required=False)
    min_speakers = forms.IntegerField(label=_("At least"), min_value=1, max_value=100, required=False)
    max_speakers = forms.IntegerField(label=_("At most"), min_value=1, max_value=100, required=False)
    use_remote = forms.BooleanField(label=_("Run on GPU"), required=False)

    def __init__(self, session: Session, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer = offers.current()
        uploads = cast(forms.ModelMultipleChoiceField[Upload], self.fields["uploads"])
        uploads.queryset = session.uploads.all()
        model = cast(forms.ChoiceField, self.fields["model"])
        model.choices = model_choices(offer)
        model.initial = offer.models[0] if offer.models else "base"
        self.fields["speakers"].initial = "auto" if offer.tells_speakers else "none"
        language = cast(forms.ChoiceField, self.fields["language"])
        language.choices = [("", _("Detect")), *LANGUAGES.items()]
        if not offer.has_toggle:
            del self.fields["use_remote"]

    @property
    def chosen_uploads(self) -> set[str] | None:
        """The ids of the files that are ticked at first; None where nobody chose yet: every new one is."""
        chosen = self["uploads"].value()
        return {str(value) for value in chosen or []} if self.is_bound or chosen else None

    def options(self) -> Options:
        """Return the chosen options; call after is_valid."""
        chosen = self.cleaned_data
        return speaker_options(
            chosen["speakers"] or "auto",
            num=chosen["num_speakers"],
            low=chosen["min_speakers"],
            high=chosen["max_speakers"],
            model=chosen["model"],
            language=chosen["language"],
        )


def choices_of(job: Job) -> dict[str, Any]:
    """Return a job's files and options as the form's initial values."""
    options = job.worker_options()
    if not options.diarization_enabled:
        speakers = "none"
    elif options.num_speakers:
        speakers = "exact"
    else:
        speakers = "between" if options.min_speakers or options.max_speakers else "auto"
    counts = {name: getattr(options, name) for name in ("num_speakers", "min_speakers", "max_speakers")}
    return {
        "uploads": list(job.inputs.values_list("upload_id", flat=True)),
        "model": job.model,
        "language": job.language,
        "speakers": speakers,
        "use_remote": job.use_remote,
        **counts,
    }


def speaker_options(
    speakers: str, *, num: int | None, low: int | None, high: int | None, model: str, language: str
) -> Options:
    """Return options in which only the counts that belong to the choice of `speakers` are set."""
    return Options(
        model=model,
        language=language,
        diarization_enabled=speakers != "none",
        num_speakers=num if speakers == "exact" else None,
        min_speakers=low if speakers == "between" else None,
        max_speakers=high if speakers == "between" else None,
    )


def model_choices(offer: offers.Offer) -> list[tuple[str, Any]]:
    """The models at hand first, then the others that a worker downloads when it can."""
    others = [name for name in WHISPER_MODELS if name not in offer.models]
    at_hand = [(name, name) for name in offer.models]
    downloads = [(name, name) for name in others]
    if not at_hand:
        return downloads
    return [(str(_("On the worker")), at_hand), (str(_("Downloaded at first use")), downloads)]
