"""Lets an exception carry what a call had done before it was raised."""

from __future__ import annotations


def attach(error: Exception, partial: object, note: str = "") -> None:
    """Sets ``error.partial``, and adds `note` to the notes of the exception where it is not empty.

    `error` may be any exception, such as one that a user's audio source raised. Only a `SpeechError` declares the
    attribute, so it is set in the exception's own dictionary, which no ``__setattr__`` of a user's class can refuse.
    """
    vars(error)["partial"] = partial
    if note:
        error.add_note(note)
