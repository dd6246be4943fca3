"""What a caller hears, in Twilio's language. What is said and who rings is decided in :mod:`hub.domain.phone`."""

from __future__ import annotations

from twilio.twiml.voice_response import VoiceResponse

from hub.channels.base import Answer
from hub.domain.phone import PhonePlan, Scene

XML = "text/xml; charset=utf-8"
LEGS = "initiated ringing answered completed"
LONGEST_MESSAGE, SILENCE = 180, 5
"""Seconds of a voicemail, and of silence that ends it."""
CLIENT_RINGS = 40
"""Seconds that a client's telephone rings."""


class Voice:
    """The answers of one account. ``hook`` is its address, ``language`` and ``voice`` are Twilio's names."""

    def __init__(self, hook: str, language: str, voice: str, number: str) -> None:
        self._hook, self._number = hook, number
        self._speech = {"language": language, **({"voice": voice} if voice else {})}

    def scene(self, plan: PhonePlan, scene: Scene, call: str) -> Answer:
        """Say it, then ring, or take a message."""
        said = self._saying(*scene.say)
        if not scene.ring:
            return self._voicemail(said, plan)
        recorded = {"record": "record-from-answer-dual", "recording_status_callback": f"{self._hook}/recorded/talk",
                    "recording_status_callback_event": "completed absent"} if plan.record else {}
        dial = said.dial(action=f"{self._hook}/ring/{scene.turn}", timeout=plan.seconds, answer_on_bridge=True, **recorded)
        for member in scene.ring:
            leg = f"{call}/{member.login}"
            dial.number(member.number, url=f"{self._hook}/whisper/{leg}", status_callback=f"{self._hook}/leg/{leg}",
                        status_callback_event=LEGS)
        return _xml(said)

    def voicemail(self, plan: PhonePlan, *say: str) -> Answer:
        """Take a message, or the key for a call back."""
        return self._voicemail(self._saying(*say), plan)

    def _voicemail(self, said: VoiceResponse, plan: PhonePlan) -> Answer:
        if plan.ask_key:
            gather = said.gather(num_digits=1, timeout=2, action=f"{self._hook}/key")
            gather.say(f"{plan.leave} {plan.key}", **self._speech)
        else:
            said.say(plan.leave, **self._speech)
        return self._tone(said)

    def tone(self) -> Answer:
        """Take a message at once."""
        return self._tone(VoiceResponse())

    def _tone(self, said: VoiceResponse) -> Answer:
        said.record(action=f"{self._hook}/left", max_length=LONGEST_MESSAGE, timeout=SILENCE, play_beep=True, trim="trim-silence",
                    recording_status_callback=f"{self._hook}/recorded/voicemail",
                    recording_status_callback_event="completed absent")
        said.hangup()
        return _xml(said)

    def ask_ours(self, text: str, action: str) -> Answer:
        """One of ours must press 1: a voicemail of theirs that picks up does not."""
        said = VoiceResponse()
        said.gather(num_digits=1, timeout=8, action=f"{self._hook}/{action}").say(text, **self._speech)
        said.hangup()
        return _xml(said)

    def dial_client(self, number: str, id: str) -> Answer:
        """Connect one of ours, who pressed the key, with the client."""
        said = VoiceResponse()
        said.dial(caller_id=self._number, timeout=CLIENT_RINGS, answer_on_bridge=True,
                  action=f"{self._hook}/out/{id}/dialled").number(number)
        return _xml(said)

    def goodbye(self, *say: str) -> Answer:
        """Say it and hang up."""
        said = self._saying(*say)
        said.hangup()
        return _xml(said)

    def _saying(self, *texts: str) -> VoiceResponse:
        said = VoiceResponse()
        for text in filter(None, texts):
            said.say(text, **self._speech)
        return said

    def trial(self, plan: PhonePlan) -> str:
        """What the test call says: the greeting as callers hear it, and what ours hear."""
        said = self._saying(plan.greeting, plan.announcement if plan.record else "", plan.whisper)
        said.hangup()
        return str(said)


def nothing() -> Answer:
    """Go on: two legs are joined by it, a report wants no more, and a message is taken without an answer by itself."""
    return _xml(VoiceResponse())


def _xml(said: object) -> Answer:
    return Answer(str(said), XML)
