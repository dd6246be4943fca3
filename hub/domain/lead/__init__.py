"""The lead: one aggregate from first contact to won, lost or refused."""

from hub.domain.lead.base import COMMANDS, CommandInfo, Staff
from hub.domain.lead.board import Board
from hub.domain.lead.calls import Calls
from hub.domain.lead.erasing import Erasing
from hub.domain.lead.importing import Imported
from hub.domain.lead.intake import Sender
from hub.domain.lead.letters import Letters
from hub.domain.lead.merging import Merging

__all__ = ["COMMANDS", "CommandInfo", "Lead", "Sender", "Staff"]


class Lead(Letters, Calls, Merging, Erasing, Imported, Board):
    """All commands of a lead (R1–R34). Each phase adds its own, in the order of the process: intake, people, screening,
    meetings, deal, follow_up, ending, clock; then talk, what is written to and fro, and letters; merging; the board."""
