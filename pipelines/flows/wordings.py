"""What the log lines that an answer tells of say, looked up once, when it is given."""

from __future__ import annotations

from detector.errors import StoreError
from detector.gate.attempt import Attempt
from detector.gate.judgement import Judgement
from detector.gate.naming import Wording, unnamed
from detector.logs.counted import Template
from detector.logs.plain import LINE_END
from detector.logs.ports import TemplateTexts
from detector.logs.redaction import redacted, redacted_lines

__all__ = ["wordings_of"]


def wordings_of(
    judgement: Judgement, attempt: Attempt, texts: TemplateTexts | None
) -> tuple[Wording, ...]:
    """The wordings of a judgement's templates, by id; an answer does not wait for those unknown."""
    ids = unnamed(judgement) if texts is not None else ()
    if texts is None or not ids:
        return ()
    try:
        known = texts(attempt.identity.tenant, ids)
    except StoreError:
        return ()
    return tuple([_wording(known[id]) for id in ids if id in known])


def _wording(template: Template) -> Wording:
    """Redacted once more, whoever kept it; that changes nothing where it was."""
    sample = redacted_lines(template.sample).replace(LINE_END, "\n")
    return Wording.of(template.id, redacted(template.text), sample)
