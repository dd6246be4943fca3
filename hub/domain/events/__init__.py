"""Every event of a lead, in the words of the process. Topics are stable and never renamed."""

from hub.domain.events.board import *
from hub.domain.events.calls import *
from hub.domain.events.deal import *
from hub.domain.events.ending import *
from hub.domain.events.erasing import *
from hub.domain.events.intake import *
from hub.domain.events.letters import *
from hub.domain.events.talk import *
from hub.domain.events.work import *
